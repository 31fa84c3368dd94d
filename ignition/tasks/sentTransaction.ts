import type { Address, PublicClient, Transaction } from "viem";

/** What became of a transaction: "unknown" to the chain, "waiting" in a pool out of sight, or the one with its nonce. */
export type Fate = "unknown" | "waiting" | Transaction;

/** The transaction with a sender's nonce, if the chain has one. */
export async function transactionOf(
  client: PublicClient,
  { from, nonce }: { from: Address; nonce: number },
): Promise<Fate> {
  const isIt = (transaction: Transaction) =>
    transaction.nonce === nonce && transaction.from.toLowerCase() === from.toLowerCase();
  const count = (blockTag: "latest" | "pending") => client.getTransactionCount({ address: from, blockTag });
  if ((await count("latest")) > nonce) {
    const blockNumber = await blockOf(client, { from, nonce });
    const { transactions } = await client.getBlock({ blockNumber, includeTransactions: true });
    return transactions.find(isIt) ?? "waiting";
  }
  if ((await count("pending")) <= nonce) return "unknown";
  // Not every server shows what waits.
  const block = await client.getBlock({ blockTag: "pending", includeTransactions: true }).catch(() => undefined);
  return block?.transactions.find(isIt) ?? "waiting";
}

/** The block that used up a nonce: back from the newest one, for servers forget old states, then by halves. */
async function blockOf(client: PublicClient, { from, nonce }: { from: Address; nonce: number }): Promise<bigint> {
  const isUsed = async (blockNumber: bigint) =>
    (await client.getTransactionCount({ address: from, blockNumber })) > nonce;
  let used = await client.getBlockNumber({ cacheTime: 0 });
  let unused = used;
  for (let step = 1n; unused >= 0n && (await isUsed(unused)); step *= 2n) [used, unused] = [unused, unused - step];
  if (unused < 0n) unused = -1n;
  while (used - unused > 1n) {
    const middle = (used + unused) / 2n;
    if (await isUsed(middle)) used = middle;
    else unused = middle;
  }
  return used;
}
