import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { deploymentFromIgnition } from "./deployment.ts";
import { deploymentModule } from "./deploymentModule.ts";
import { deploymentFolder } from "./folder.ts";
import { reporting } from "./reporting.ts";

type Arguments = { deploymentId?: string | undefined; out?: string | undefined };

/** `npx hardhat flock addresses`: the one file by which workers and auditors know a deployment; `*.ts` for programs. */
export default reporting<Arguments>(async ({ deploymentId, out }, hre) => {
  const deployment = await deploymentFromIgnition(await deploymentFolder(hre, deploymentId));
  const json = `${JSON.stringify(deployment, null, 2)}\n`;
  if (out === undefined) process.stdout.write(json);
  else await write(out, out.endsWith(".ts") ? deploymentModule(deployment) : json);
});

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    const folder = dirname(file);
    const reason = existsSync(folder) ? (cause as Error).message : `there is no folder ${folder}`;
    throw new PermanentError(`--out ${file} cannot be written: ${reason}.`, { cause, exitCode: ExitCode.usage });
  }
}
