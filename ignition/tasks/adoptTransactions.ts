import { existsSync } from "node:fs";
import { appendFile, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PublicClient, Transaction } from "viem";
import { PassingError } from "../../protocol/errors.ts";
import {
  type Bigint,
  type JournalEntry,
  type PendingTransaction,
  pendingTransactions,
  readJournal,
} from "./journal.ts";
import { transactionOf } from "./sentTransaction.ts";

/** How often the chain is asked for a transaction that waits out of sight, once a second. */
const PATIENCE = 60;

/**
 * Tells the journal in `dir` what became of transactions that a break left in doubt. Ignition notes the nonce of a
 * transaction, sends it, and notes its hash. Killed in between, or while it raised a fee, it would stop when it resumes, or
 * send the step once more with another nonce; and one that the server lost it would wait for before it sends it anew. So:
 * what the chain has is noted, what it does not know is forgotten and then sent with the same nonce. Gives a sentence for
 * each.
 * @throws PassingError if such a transaction still waits for its block.
 */
export async function adoptTransactions(dir: string, client: PublicClient): Promise<string[]> {
  const journal = join(dir, "journal.jsonl");
  if (!existsSync(journal)) return [];
  const told: string[] = [];
  let isLast = true;
  // From the newest on: one that is followed by others that live cannot be forgotten, for they need its nonce used.
  for (const pending of pendingTransactions(await readJournal(journal)).reverse()) {
    const { futureId, nonce, hashes } = pending;
    const found = (await isKnown(client, pending)) ? "known" : await settled(client, pending);
    const isOurs = typeof found === "object" && isSame(found, pending);
    if (isOurs) {
      await appendFile(journal, `\n${JSON.stringify(sendEntry(pending, found))}`);
      told.push(`The transaction of ${futureId} with nonce ${nonce} had arrived before the break: ${found.hash}.`);
    } else if (found === "unknown" ? isLast : hashes.length === 0) {
      await forget(journal, pending);
      told.push(`The transaction of ${futureId} with nonce ${nonce} had not arrived before the break: it is sent now.`);
    }
    isLast &&= found === "unknown";
  }
  return told;
}

async function isKnown(client: PublicClient, { hashes }: PendingTransaction): Promise<boolean> {
  const found = await Promise.all(
    hashes.map((hash) => client.request({ method: "eth_getTransactionByHash", params: [hash] })),
  );
  return found.some((transaction) => transaction !== null);
}

async function settled(client: PublicClient, pending: PendingTransaction): Promise<Transaction | "unknown"> {
  const { from, nonce, futureId } = pending;
  for (let asked = 0; asked < PATIENCE; asked++) {
    const fate = await transactionOf(client, pending);
    if (fate !== "waiting") return fate;
    await sleep(1000);
  }
  const what = `The transaction of ${futureId} with nonce ${nonce} of ${from}`;
  throw new PassingError(`${what} waits for a block: run the same command again when it is in one.`);
}

function isSame({ to, input, value }: Transaction, pending: PendingTransaction): boolean {
  return to?.toLowerCase() === pending.to?.toLowerCase() && input === pending.data && value === pending.value;
}

/** As Ignition would have noted it. */
function sendEntry({ futureId, networkInteractionId, nonce }: PendingTransaction, transaction: Transaction): object {
  const { hash, gasPrice, maxFeePerGas, maxPriorityFeePerGas } = transaction;
  const fees =
    maxFeePerGas === undefined || maxPriorityFeePerGas === undefined
      ? { gasPrice: bigint(gasPrice ?? 0n) }
      : { maxFeePerGas: bigint(maxFeePerGas), maxPriorityFeePerGas: bigint(maxPriorityFeePerGas) };
  return { futureId, networkInteractionId, nonce, transaction: { fees, hash }, type: "TRANSACTION_SEND" };
}

function bigint(value: bigint): Bigint {
  return { _kind: "bigint", value: value.toString() };
}

/** Takes the lines out in which Ignition noted the nonce, and what it sent with it. */
async function forget(journal: string, { futureId, networkInteractionId }: PendingTransaction): Promise<void> {
  const lines = (await readFile(journal, "utf8")).split("\n").filter((line) => line.trim() !== "");
  const entries = lines.map((line) => JSON.parse(line) as JournalEntry);
  const isIts = (entry: JournalEntry) => entry.futureId === futureId;
  // A step that was wiped has an older life, with numbers of its own.
  const start = entries.findLastIndex((entry) => isIts(entry) && entry.networkInteraction?.id === networkInteractionId);
  const kept = lines.filter((_line, index) => index <= start || !isIts(entries[index] as JournalEntry));
  await writeFile(`${journal}.new`, kept.map((line) => `\n${line}`).join(""));
  await rename(`${journal}.new`, journal);
}
