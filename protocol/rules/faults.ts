import type { Hex } from "viem";
import type { Terms } from "../terms.ts";
import { ABSTAIN, BOUNTY_DIVISOR, BPS, MISSING, Verdict } from "../words.ts";
import { judges, NO_HEAD } from "./ballots.ts";
import { windowAround, within } from "./payouts.ts";
import type { Slot, Vote } from "./tally.ts";

/** One kind of fault in wei: `ceil(seats * seatStake * bps * num / (10000 * den))`; a divisor of zero means no fault. */
export function faultOf(terms: Terms, seats: number, bps: number, num = 1, den = 1): bigint {
  if (den === 0) return 0n;
  const divisor = BigInt(BPS) * BigInt(den);
  return (BigInt(seats) * terms.seatStake * BigInt(bps) * BigInt(num) + divisor - 1n) / divisor;
}

/** What a commitment costs that was never opened, in a void round as in any other. */
export function unopenedFault(terms: Terms, seats: number): bigint {
  return faultOf(terms, seats, terms.unrevealedBps);
}

/** What a published proposal costs its proposer. */
export function proposalFault(terms: Terms, seats: number, verdict: Verdict): bigint {
  if (verdict === Verdict.Rejected) return faultOf(terms, seats, terms.rejectBps);
  return verdict === Verdict.Missing ? unopenedFault(terms, seats) : 0n;
}

/**
 * A vote for the losing side that also lies far from the median: a small harm that was missed is no dissent, and neither
 * is a "+1" that only blocks by a hair.
 */
function dissents(terms: Terms, { verdict, median }: Slot, score: number): boolean {
  const lost =
    (verdict === Verdict.Accepted && score < -terms.band) || (verdict === Verdict.Rejected && score > terms.minGain);
  return lost && judges(score) && !within(score, median, windowAround(terms, terms.dissentBand, median));
}

/** What a revealed ballot costs its voter: dissent, a false head digest, and not judging what others decided. */
export function ballotFault(
  terms: Terms,
  slots: readonly Slot[],
  { seats, scores, head }: Vote & { head: Hex },
  reference: Hex | undefined,
): bigint {
  let decided = 0;
  let dissented = 0;
  let unjudged = 0;
  slots.forEach((slot, index) => {
    if (slot.verdict !== Verdict.Accepted && slot.verdict !== Verdict.Rejected) return;
    const score = scores[index]!;
    decided += 1;
    if (dissents(terms, slot, score)) dissented += 1;
    if (score === ABSTAIN || score === MISSING) unjudged += 1;
  });
  const strayed = reference !== undefined && head !== NO_HEAD && head !== reference;
  return (
    faultOf(terms, seats, terms.dissentBps, dissented, decided) +
    (strayed ? faultOf(terms, seats, terms.headBps) : 0n) +
    faultOf(terms, seats, terms.absentBps, unjudged, slots.length)
  );
}

/** What it costs to have seats as a voter and to seal no ballot, if somebody accuses. */
export function absenceFault(terms: Terms, seats: number): bigint {
  return faultOf(terms, seats, terms.absentBps);
}

/** What the accuser gets of what the absent one lost: a tenth, at most a tenth of one seat's fault. */
export function accuserBounty(terms: Terms, lost: bigint): bigint {
  const most = absenceFault(terms, 1) / BOUNTY_DIVISOR;
  const part = lost / BOUNTY_DIVISOR;
  return part < most ? part : most;
}
