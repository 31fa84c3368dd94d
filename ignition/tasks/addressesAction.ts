import { writeFile } from "node:fs/promises";
import { deploymentFromIgnition } from "./deployment.ts";
import { deploymentFolder } from "./folder.ts";
import { reporting } from "./reporting.ts";

type Arguments = { deploymentId?: string | undefined; out?: string | undefined };

/** `npx hardhat flock addresses`: the one file by which workers and auditors know a deployment. */
export default reporting<Arguments>(async ({ deploymentId, out }, hre) => {
  const deployment = await deploymentFromIgnition(await deploymentFolder(hre, deploymentId));
  const text = `${JSON.stringify(deployment, null, 2)}\n`;
  if (out === undefined) process.stdout.write(text);
  else await writeFile(out, text);
});
