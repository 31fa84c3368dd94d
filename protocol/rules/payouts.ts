import type { Terms } from "../terms.ts";
import { BOUNTY_DIVISOR, BPS, MAX_SCORE, MIN_SCORE, SETTLE_BPS, Verdict } from "../words.ts";
import { judges } from "./ballots.ts";
import type { Slot, Vote } from "./tally.ts";

/** How often the voters' windows are halved while nobody has a point. */
const HALVINGS = 3;

/** A seat never earns more than twice its fair share of a part; what nobody earns stays in the pot. */
function share(part: bigint, weight: bigint, sum: bigint, seats: number, expected: number): bigint {
  if (sum === 0n) return 0n;
  const earned = (part * weight) / sum;
  const cap = (2n * part * BigInt(seats)) / BigInt(expected);
  return earned < cap ? earned : cap;
}

/** Weight of each published update in the head and in its trainer's pay: `seats * (median - minGain)`, if accepted. */
export function factorsOf(terms: Terms, slots: readonly Slot[], seats: readonly number[]): bigint[] {
  return slots.map(({ verdict, median }, slot) =>
    verdict === Verdict.Accepted ? BigInt(seats[slot]!) * BigInt(median - terms.minGain) : 0n,
  );
}

/** Wei for each published proposal: the trainers' part of `pot` by weights, factors or those of ranks. */
export function trainerPay(terms: Terms, pot: bigint, weights: readonly bigint[], seats: readonly number[]): bigint[] {
  const part = (pot * BigInt(BPS - terms.voterShareBps)) / BigInt(BPS);
  const sum = weights.reduce((a, b) => a + b, 0n);
  return weights.map((weight, slot) => share(part, weight, sum, seats[slot]!, terms.expectedTrainers));
}

/** What whoever settles a round that is not void gets out of its pot, before anybody is paid. */
export function settlerBounty(terms: Terms, pot: bigint): bigint {
  const part = (pot * SETTLE_BPS) / BigInt(BPS);
  const most = terms.seatStake / BOUNTY_DIVISOR;
  return part < most ? part : most;
}

/** How far from a median is still near it: `base + |median| * toleranceBps / 10000`, floor. In score units. */
export function windowAround(terms: Terms, base: number, median: number): number {
  return base + Math.floor((Math.abs(median) * terms.toleranceBps) / BPS);
}

/** Whether a judging score lies within the window; windows saturate at the ends of the range, they never wrap. */
export function within(score: number, median: number, window: number): boolean {
  return score >= Math.max(median - window, MIN_SCORE) && score <= Math.min(median + window, MAX_SCORE);
}

/**
 * Points for telling proposals apart: hits of the own median minus hits of the next quorate slot's, around the circle, so
 * that one score for all earns exactly nothing. With one quorate slot its neighbour is the head, whose median is 0.
 */
function pointsOf(terms: Terms, slots: readonly Slot[], vote: Vote, halvings: number): number {
  const quorate = slots.flatMap(({ quorate }, slot) => (quorate ? [slot] : []));
  let points = 0;
  quorate.forEach((slot, index) => {
    const score = vote.scores[slot]!;
    if (!judges(score)) return;
    const own = slots[slot]!.median;
    const next = quorate.length === 1 ? 0 : slots[quorate[(index + 1) % quorate.length]!]!.median;
    const hit = (median: number) => within(score, median, windowAround(terms, terms.band, median) >> halvings);
    points += Number(hit(own)) - Number(hit(next));
  });
  return Math.max(0, points);
}

/** Wei for each revealed ballot: the voters' part of the round's pot by `seats * points^2`. */
export function voterPay(terms: Terms, pot: bigint, slots: readonly Slot[], votes: readonly Vote[]): bigint[] {
  const part = (pot * BigInt(terms.voterShareBps)) / BigInt(BPS);
  let points: number[] = [];
  for (let halvings = 0; halvings <= HALVINGS; halvings++) {
    points = votes.map((vote) => pointsOf(terms, slots, vote, halvings));
    if (points.some((own) => own > 0)) break;
  }
  const weights = votes.map(({ seats }, voter) => BigInt(seats) * BigInt(points[voter]!) ** 2n);
  const sum = weights.reduce((a, b) => a + b, 0n);
  return votes.map(({ seats }, voter) => share(part, weights[voter]!, sum, seats, terms.expectedVoters));
}
