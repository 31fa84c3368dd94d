import { readFile } from "node:fs/promises";
import type { Address, Hash, Hex } from "viem";

/** The lines of Ignition's journal that matter here; a future is a step of a module, "<module>#<contract>". */
export type JournalEntry = {
  type: string;
  futureId?: string | undefined;
  chainId?: number | undefined;
  /** Who sends the transactions of a future. */
  from?: Address | undefined;
  /** What a future wants of the chain: here a transaction; without `to` it creates a contract. */
  networkInteraction?: { id: number; type: string; to?: Address | undefined; data: Hex; value: Bigint } | undefined;
  networkInteractionId?: number | undefined;
  nonce?: number | undefined;
  transaction?: { hash: Hash } | undefined;
  /** Of the transaction that got its confirmations. */
  hash?: Hash | undefined;
  receipt?: { blockNumber: number } | undefined;
  /** Of a contract that was deployed, and of one that was there already. */
  result?: { type: string; address?: string | undefined } | undefined;
  contractAddress?: string | undefined;
  /** Of a step: the contract that it deploys, or that it calls with `functionName`. */
  artifactId?: string | undefined;
  contractName?: string | undefined;
  functionName?: string | undefined;
};
/** As Ignition writes a bigint. */
export type Bigint = { _kind: "bigint"; value: string };

/** The entries of a journal. */
export async function readJournal(file: string): Promise<JournalEntry[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  // A kill can cut the last line short.
  return lines.filter((line) => line.trimEnd().endsWith("}")).flatMap(parsed);
}

function parsed(line: string): JournalEntry[] {
  try {
    return [JSON.parse(line) as JournalEntry];
  } catch {
    return [];
  }
}

/** The address of each contract that was deployed, or was there already, by future. */
export function addressesByFuture(entries: readonly JournalEntry[]): Record<string, string> {
  const addresses: Record<string, string> = {};
  for (const { type, futureId = "", result, contractAddress } of entries) {
    const address = type === "CONTRACT_AT_EXECUTION_STATE_INITIALIZE" ? contractAddress : result?.address;
    if (type === "WIPE_APPLY") delete addresses[futureId];
    else if (address !== undefined) addresses[futureId] = address;
  }
  return addresses;
}

/** A transaction that has its nonce and, as far as the journal says, no confirmation. */
export type PendingTransaction = {
  futureId: string;
  networkInteractionId: number;
  from: Address;
  nonce: number;
  to: Address | undefined;
  data: Hex;
  /** Wei. */
  value: bigint;
  /** One, more if its fee was raised, none if a break came between the sending and the noting. */
  hashes: Hash[];
};

/** The transactions that are under way, in the order of their nonces. */
export function pendingTransactions(entries: readonly JournalEntry[]): PendingTransaction[] {
  const senders = new Map<string, Address>();
  const wanted = new Map<string, Omit<PendingTransaction, "nonce"> & { nonce?: number | undefined }>();
  for (const { type, futureId = "", from, networkInteraction, nonce, transaction } of entries) {
    if (from !== undefined) senders.set(futureId, from);
    if (networkInteraction?.type === "ONCHAIN_INTERACTION") {
      const { id, to, data, value } = networkInteraction;
      const sender = senders.get(futureId) as Address;
      const wei = BigInt(value.value);
      wanted.set(futureId, { futureId, networkInteractionId: id, from: sender, to, data, value: wei, hashes: [] });
    }
    const pending = wanted.get(futureId);
    if (pending === undefined) continue;
    if (type === "TRANSACTION_PREPARE_SEND" || type === "TRANSACTION_SEND") pending.nonce = nonce;
    if (type === "TRANSACTION_SEND" && transaction !== undefined) pending.hashes.push(transaction.hash);
    if (type === "ONCHAIN_INTERACTION_REPLACED_BY_USER") Object.assign(pending, { nonce: undefined, hashes: [] });
    if (type === "TRANSACTION_CONFIRM" || type === "WIPE_APPLY") wanted.delete(futureId);
  }
  const pending = [...wanted.values()].filter((each): each is PendingTransaction => each.nonce !== undefined);
  return pending.sort((a, b) => a.nonce - b.nonce);
}

/** The highest nonce of each sender (in lower case) whose transaction has its confirmations. */
export function confirmedNonces(entries: readonly JournalEntry[]): Map<string, number> {
  const senders = new Map<string, string>();
  const nonces = new Map<string, number>();
  const confirmed = new Map<string, number>();
  for (const { type, futureId = "", from, nonce } of entries) {
    if (from !== undefined) senders.set(futureId, from.toLowerCase());
    if (nonce !== undefined) nonces.set(futureId, nonce);
    if (type !== "TRANSACTION_CONFIRM") continue;
    const sender = senders.get(futureId) ?? "";
    confirmed.set(sender, Math.max(nonces.get(futureId) ?? -1, confirmed.get(sender) ?? -1));
  }
  return confirmed;
}
