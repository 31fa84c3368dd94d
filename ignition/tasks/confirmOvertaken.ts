import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import {
  getAddress,
  type Hash,
  type PublicClient,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from "viem";
import { confirmedNonces, type PendingTransaction, pendingTransactions, readJournal } from "./journal.ts";

/**
 * Notes in the journal in `dir` the confirmation of every transaction that a later one of the same sender has overtaken
 * there: it is in a block at least as old, so it has as many confirmations. Ignition, killed between noting the two, would
 * count the sender's nonces from the older one and stop. Gives a sentence for each.
 */
export async function confirmOvertaken(dir: string, client: PublicClient): Promise<string[]> {
  const journal = join(dir, "journal.jsonl");
  if (!existsSync(journal)) return [];
  const entries = await readJournal(journal);
  const confirmed = confirmedNonces(entries);
  const told: string[] = [];
  for (const pending of pendingTransactions(entries)) {
    if (pending.nonce > (confirmed.get(pending.from.toLowerCase()) ?? -1)) continue;
    const receipt = await receiptOf(client, pending.hashes);
    if (receipt === undefined) continue;
    await appendFile(journal, `\n${JSON.stringify(confirmEntry(pending, receipt))}`);
    told.push(`The transaction of ${pending.futureId} with nonce ${pending.nonce} is confirmed.`);
  }
  return told;
}

async function receiptOf(client: PublicClient, hashes: readonly Hash[]): Promise<TransactionReceipt | undefined> {
  for (const hash of hashes) {
    try {
      return await client.getTransactionReceipt({ hash });
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error;
    }
  }
  return undefined;
}

/** As Ignition would have noted it. */
function confirmEntry({ futureId, networkInteractionId }: PendingTransaction, receipt: TransactionReceipt): object {
  const { transactionHash, blockHash, blockNumber, contractAddress, status } = receipt;
  const created = status === "success" && contractAddress ? { contractAddress: getAddress(contractAddress) } : {};
  const logs = receipt.logs.map(({ address, data, logIndex, topics }) => {
    return { address: getAddress(address), data, logIndex, topics };
  });
  return {
    futureId,
    hash: transactionHash,
    networkInteractionId,
    receipt: {
      blockHash,
      blockNumber: Number(blockNumber),
      ...created,
      logs,
      status: status === "success" ? "SUCCESS" : "FAILURE",
    },
    type: "TRANSACTION_CONFIRM",
  };
}
