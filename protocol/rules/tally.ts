import type { Terms } from "../terms.ts";
import { BPS, MISSING, Verdict } from "../words.ts";
import { judges } from "./ballots.ts";

/** A revealed ballot: `scores` of the published slots in order. */
export type Vote = { seats: number; scores: readonly number[] };

/** How one slot was judged. All but `median` count seats; `median` is 0 unless quorate. */
export type Slot = {
  missing: number;
  judging: number;
  for: number;
  against: number;
  quorate: boolean;
  median: number;
  verdict: Verdict;
};

/** Seats that a decision needs: more than half of the expected ones. */
export function quorumOf(terms: Terms): number {
  return Math.floor(terms.expectedVoters / 2) + 1;
}

/** The smallest value that at least half of the weight does not exceed: never positive by a tie. 0 for no weight. */
export function lowerMedian(values: readonly { value: number; weight: number }[]): number {
  const sorted = values.filter(({ weight }) => weight > 0).sort((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let below = 0;
  for (const { value, weight } of sorted) {
    below += weight;
    if (2 * below >= total) return value;
  }
  return 0;
}

function seatsWhere(votes: readonly Vote[], slot: number, holds: (score: number) => boolean): number {
  return votes.reduce((sum, { seats, scores }) => sum + (holds(scores[slot]!) ? seats : 0), 0);
}

/** Judges one slot by itself. */
function tallySlot(terms: Terms, votes: readonly Vote[], slot: number): Slot {
  const revealed = votes.reduce((sum, { seats }) => sum + seats, 0);
  const missing = seatsWhere(votes, slot, (score) => score === MISSING);
  const judging = seatsWhere(votes, slot, judges);
  const supporting = seatsWhere(votes, slot, (score) => score > terms.minGain);
  const against = seatsWhere(votes, slot, (score) => judges(score) && score < -terms.band);
  const isMissing = missing * BPS >= terms.acceptBps * revealed;
  const quorate = judging >= quorumOf(terms) && !isMissing;
  const judged = votes.map(({ seats, scores }) => ({
    value: scores[slot]!,
    weight: judges(scores[slot]!) ? seats : 0,
  }));
  const median = quorate ? lowerMedian(judged) : 0;

  const carried = (side: number) => side * BPS >= terms.acceptBps * (supporting + against);
  let verdict: Verdict = Verdict.Undecided;
  if (isMissing) verdict = Verdict.Missing;
  else if (quorate && median > terms.minGain && carried(supporting)) verdict = Verdict.Accepted;
  else if (quorate && median < -terms.band && carried(against)) verdict = Verdict.Rejected;
  return { missing, judging, for: supporting, against, quorate, median, verdict };
}

/** Every published slot's outcome. Only for rounds in which a quorum of seats revealed. */
export function tally(terms: Terms, votes: readonly Vote[], published: number): Slot[] {
  return Array.from({ length: published }, (_, slot) => tallySlot(terms, votes, slot));
}
