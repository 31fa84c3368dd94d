import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deploymentFromIgnition } from "./deployment.ts";
import { reporting } from "./reporting.ts";

type Arguments = { deploymentId?: string | undefined; out?: string | undefined };

/** `npx hardhat flock addresses`: the one file by which workers and auditors know a deployment. */
export default reporting<Arguments>(async ({ deploymentId, out }, hre) => {
  const id = deploymentId ?? (await networkId(hre));
  const deployment = await deploymentFromIgnition(join(hre.config.paths.ignition, "deployments", id));
  const text = `${JSON.stringify(deployment, null, 2)}\n`;
  if (out === undefined) process.stdout.write(text);
  else await writeFile(out, text);
});

async function networkId(hre: Parameters<Parameters<typeof reporting>[0]>[1]): Promise<string> {
  const { provider } = await hre.network.create();
  return `chain-${Number(await provider.request({ method: "eth_chainId" }))}`;
}
