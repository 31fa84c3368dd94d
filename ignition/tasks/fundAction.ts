import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { confirm } from "../../workers/cli/confirm.ts";
import { showReport } from "../../workers/cli/report.ts";
import { ownTerminal } from "../../workers/cli/terminal.ts";
import { type Connection, openConnection } from "./connection.ts";
import { parseAmount } from "./createTaskInput.ts";
import { dryConnection } from "./dryConnection.ts";
import { fundTask } from "./fundTask.ts";
import { reporting } from "./reporting.ts";

type Arguments = {
  task?: string | undefined;
  amount?: string | undefined;
  deployment?: string | undefined;
  dryRun: boolean;
  yes: boolean;
  json: boolean;
};

/** `npx hardhat flock fund`: adds to the pot of a task. */
export default reporting<Arguments>(async ({ task, amount, deployment, dryRun, yes, json }, hre) => {
  if (task === undefined || !/^[1-9]\d{0,18}$/.test(task)) {
    throw new PermanentError("Name the task by its number with --task.", { exitCode: ExitCode.usage });
  }
  const wei = parseAmount("--amount", amount ?? "");
  const connection = await openConnection(hre, deployment);
  const terminal = ownTerminal();
  const from = connection.wallet.account.address;
  terminal.tell(`${from} will put ${amount} FLK in the pot of task ${task}.\n`);
  if (dryRun) {
    const send = (simulated: Connection) => fundTask(simulated, { task: BigInt(task), amount: wei });
    return dryConnection(hre, connection, { send, json });
  }
  await confirm(terminal, { yes });
  const sent = await fundTask(connection, { task: BigInt(task), amount: wei });
  const fields = sent.map(({ what, hash }): [string, string] => [what, hash]);
  showReport(terminal, { json: { task, amount: String(wei), transactions: sent }, fields }, { json });
});
