import { formatEther, formatGwei } from "viem";
import { chainFailure, reach } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";
import { actOf } from "../sender/acts/actOf.ts";
import { marketFees } from "../sender/fees.ts";
import type { Intent } from "../sender/intents.ts";
import type { OperatorKey } from "../sender/key.ts";

/** What bringing an intent about takes: nothing, if it is so already. */
export type Cost = { transactions: number; gas: bigint /** Wei per gas, at most. */; price: bigint };

/** Gas of an act that the chain cannot try before another one was done; above what any takes. */
const UNTRIED_GAS = 200_000n;

/**
 * Tries an intent without signing it.
 * @throws FlockError if the contracts would refuse it.
 */
export async function estimateCost(chain: Chain, key: OperatorKey, intent: Intent): Promise<Cost> {
  const context = {
    chain,
    key,
    newest: () => undefined,
    sealedBallots: () => [],
    readBallot: async () => Promise.reject(new Error("no ballot")),
  };
  const gasOf = async (part: Intent): Promise<bigint[]> => {
    const act = actOf(context, part);
    const before = act.first === undefined ? [] : await gasOf(act.first);
    const step = await reach(`to ${words(part)}`, () => act.next());
    if ("done" in step) return before;
    if (before.length > 0) return [...before, UNTRIED_GAS];
    try {
      return [await chain.client.estimateGas({ account: key.address, ...step.call })];
    } catch (error) {
      throw chainFailure(error, `to ${words(part)}`);
    }
  };
  const parts = await gasOf(intent);
  const { maxFeePerGas } = await reach("reading the price of gas", () => marketFees(chain));
  return { transactions: parts.length, gas: parts.reduce((sum, gas) => sum + gas, 0n), price: maxFeePerGas };
}

export function showCost({ transactions, gas, price }: Cost): string {
  const count = transactions === 1 ? "one transaction" : `${transactions} transactions`;
  const most = formatEther(gas * price);
  return `${count}, about ${gas.toLocaleString("en-US")} gas, at most ${most} ETH (${formatGwei(price)} gwei a gas)`;
}

/** "requestExit" as "request exit". */
function words({ kind }: Intent): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
