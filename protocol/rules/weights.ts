import type { Terms } from "../terms.ts";
import { type Delegation, delegatedNext, delegatedNow } from "./delegation.ts";
import { type Account, countsNext, countsNow } from "./stakePool.ts";

/** Weight of own and delegated stake: own stake below that of one seat has none, and carries none. */
export function weightOf(terms: Terms, own: bigint, delegated: bigint): bigint {
  if (own < terms.seatStake) return 0n;
  const most = own * BigInt(terms.maxLeverage);
  return own + (delegated < most ? delegated : most);
}

/** Weight in the open round: what was there when it opened, whether or not it asked to leave since. Both touched. */
export function openWeight(terms: Terms, account: Account, pool: Delegation): bigint {
  return weightOf(terms, countsNow(account), delegatedNow(pool));
}

/** Weight in the round that opens next. */
export function nextWeight(terms: Terms, account: Account, pool: Delegation): bigint {
  return weightOf(terms, countsNext(account), delegatedNext(pool));
}
