import { reach } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";
import { type DeliverContext, findReceipt } from "./deliver.ts";
import type { Entry } from "./outbox.ts";

/** Blocks after which nothing is undone where a chain knows no finality. */
const DEPTH = 64n;

/** Newest block that cannot be undone. */
export async function finalBlock({ client }: Chain): Promise<bigint> {
  const final = await client.getBlock({ blockTag: "finalized" }).catch(() => undefined);
  return final?.number ?? (await reach("reading the newest block", () => client.getBlockNumber())) - DEPTH;
}

/** Looks again at what was mined: it may have become final, or have been undone, and then goes out again. */
export async function refresh({ chain, outbox }: DeliverContext, entry: Entry, final: bigint): Promise<Entry> {
  const receipt = await reach(`looking for ${entry.id}`, () => findReceipt(chain, entry));
  if (receipt === undefined) return outbox.mark(entry.seq, "broadcast");
  const block = { number: receipt.blockNumber, hash: receipt.blockHash };
  return outbox.mark(entry.seq, receipt.blockNumber <= final ? "final" : "mined", { block });
}
