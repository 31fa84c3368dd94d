import { confirm } from "../../workers/cli/confirm.ts";
import { type JsonValue, showReport } from "../../workers/cli/report.ts";
import { ownTerminal } from "../../workers/cli/terminal.ts";
import { type Connection, openConnection } from "./connection.ts";
import { createTask } from "./createTask.ts";
import { type CreateTaskArguments, readNewTask } from "./createTaskInput.ts";
import { dryConnection } from "./dryConnection.ts";
import { reporting } from "./reporting.ts";
import { taskPlan } from "./taskPlan.ts";

type Arguments = CreateTaskArguments & {
  deployment?: string | undefined;
  dryRun: boolean;
  yes: boolean;
  json: boolean;
};

/** `npx hardhat flock create-task`: checks, tells, asks, then sends. */
export default reporting<Arguments>(async (options, hre) => {
  const input = await readNewTask(options);
  const connection = await openConnection(hre, options.deployment);
  const { publicClient, wallet, deployment } = connection;
  const plan = taskPlan(input, {
    creator: wallet.account.address,
    network: `chain ${deployment.chainId}`,
    registry: deployment.addresses.TaskRegistry,
    gasPrice: await publicClient.getGasPrice(),
  });
  const terminal = ownTerminal();
  showReport({ ...terminal, write: terminal.tell }, plan, { json: false });
  if (options.dryRun) {
    const send = async (simulated: Connection) => (await createTask(simulated, input)).sent;
    return dryConnection(hre, connection, { send, json: options.json });
  }
  await confirm(terminal, { yes: options.yes });

  const { task, sent } = await createTask(connection, input);
  const json = { task: String(task), transactions: sent, ...(plan.json as Record<string, JsonValue>) };
  const fields = sent.map(({ what, hash }): [string, string] => [what, hash]);
  showReport(terminal, { json, fields: [...fields, ["task", String(task)]] }, { json: options.json });
});
