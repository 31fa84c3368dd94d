import { parseEventLogs } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { type Manifest, manifestDigest } from "../../protocol/manifest.ts";
import type { Terms } from "../../protocol/terms.ts";
import type { Connection } from "./connection.ts";
import { allowDeposit, fundTask } from "./fundTask.ts";
import { type Sent, send } from "./transactions.ts";

/** What a task is made of; `deposit` in wei of the token, 0 to fund it later. */
export type NewTask = { manifest: Manifest; terms: Terms; deposit: bigint };

/**
 * Creates a task and funds it, in up to three transactions: allow the vault to take the deposit, create, fund. The
 * allowance goes first, so that a break leaves nothing behind but that, or a task that can still be funded.
 * @throws PermanentError (chain) if the account cannot pay the deposit or a transaction fails.
 */
export async function createTask(
  connection: Connection,
  { manifest, terms, deposit }: NewTask,
): Promise<{ task: bigint; sent: Sent[] }> {
  const { wallet, deployment } = connection;
  const address = deployment.addresses.TaskRegistry;
  const sent = await allowDeposit(connection, deposit);

  const receipt = await send(connection, {
    what: "create the task",
    write: () =>
      wallet.writeContract({
        address,
        abi: abis.TaskRegistry,
        chain: wallet.chain ?? null,
        functionName: "createTask",
        args: [terms, manifestDigest(manifest)],
      }),
    sent,
  });
  const [created] = parseEventLogs({ abi: abis.TaskRegistry, eventName: "TaskCreated", logs: receipt.logs });
  if (created === undefined) {
    const message = `The contract at ${address} created no task: it is not Flock's registry.`;
    throw new PermanentError(message, { exitCode: ExitCode.chain });
  }
  const { task } = created.args;
  if (deposit === 0n) return { task, sent };
  try {
    sent.push(...(await fundTask(connection, { task, amount: deposit })));
  } catch (cause) {
    const advice = `fund it with: npx hardhat flock fund --task ${task}`;
    const message = `Task ${task} was created but not funded (${advice}). ${(cause as Error).message}`;
    throw new PermanentError(message, { cause, exitCode: ExitCode.chain });
  }
  return { task, sent };
}
