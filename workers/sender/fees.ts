import type { Chain } from "../chain/open.ts";

/** What a transaction offers, wei per gas (EIP-1559). */
export type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };

/** A replacement is taken only if both fees rise by a tenth; some servers want an eighth. */
const RISE_NUM = 9n;
const RISE_DEN = 8n;
/** A transaction that is stuck for another reason than its price is not paid for without end. */
const MARKET_LIMIT = 8n;

/** What the market asks now, with room for the base fee to double. */
export async function marketFees({ client }: Chain): Promise<Fees> {
  const [{ baseFeePerGas }, maxPriorityFeePerGas] = await Promise.all([
    client.getBlock(),
    client.estimateMaxPriorityFeePerGas(),
  ]);
  return { maxFeePerGas: 2n * (baseFeePerGas ?? 0n) + maxPriorityFeePerGas, maxPriorityFeePerGas };
}

/** Fees of a replacement, or undefined if it would offer more than `cap`, or eight times what the market asks. */
export function raisedFees(before: Fees, market: Fees, cap: bigint | undefined): Fees | undefined {
  const maxPriorityFeePerGas = larger(raised(before.maxPriorityFeePerGas), market.maxPriorityFeePerGas);
  const maxFeePerGas = larger(larger(raised(before.maxFeePerGas), market.maxFeePerGas), maxPriorityFeePerGas);
  if (cap !== undefined && maxFeePerGas > cap) return undefined;
  return maxFeePerGas > MARKET_LIMIT * market.maxFeePerGas ? undefined : { maxFeePerGas, maxPriorityFeePerGas };
}

const raised = (fee: bigint) => (fee * RISE_NUM + RISE_DEN - 1n) / RISE_DEN;
const larger = (a: bigint, b: bigint) => (a > b ? a : b);
