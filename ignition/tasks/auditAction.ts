import type { PublicClient } from "viem";
import { audit } from "../../audit/audit.ts";
import { reportLines, reportToJson } from "../../audit/report.ts";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { ownTerminal } from "../../workers/cli/terminal.ts";
import { deploymentFromFile, deploymentFromIgnition } from "./deployment.ts";
import { deploymentFolder } from "./folder.ts";
import { reporting } from "./reporting.ts";

type Arguments = {
  task?: string | undefined;
  deployment?: string | undefined;
  store?: string | undefined;
  json: boolean;
};

/** `npx hardhat flock audit`: replays a task from its logs and compares. Needs no key; ends with 6 on a difference. */
export default reporting<Arguments>(async ({ task, deployment: file, store, json }, hre) => {
  if (task === undefined || !/^[1-9]\d{0,18}$/.test(task)) {
    throw new PermanentError("Name the task by its number with --task.", { exitCode: ExitCode.usage });
  }
  const { viem } = await hre.network.create();
  const client = (await viem.getPublicClient()) as PublicClient;
  const own = async () => deploymentFromIgnition(await deploymentFolder(hre));
  const deployment = file === undefined ? await own() : await deploymentFromFile(file);

  const report = await audit({ client, deployment, task: BigInt(task), store });
  const text = json ? JSON.stringify(reportToJson(report), null, 2) : reportLines(report).join("\n");
  ownTerminal().write(`${text}\n`);
  if (report.differences > 0) process.exitCode = ExitCode.difference;
});
