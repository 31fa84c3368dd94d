import type { Address, Hex } from "viem";
import type { Terms } from "../terms.ts";
import { BPS, KEPT_TENTHS, Payout } from "../words.ts";
import { NO_HEAD } from "./ballots.ts";
import { absenceFault, ballotFault, proposalFault, unopenedFault } from "./faults.ts";
import { factorsOf, settlerBounty, trainerPay, voterPay } from "./payouts.ts";
import { rankWeights } from "./ranking.ts";
import { quorumOf, type Slot, tally } from "./tally.ts";

const NO_SEED: Hex = `0x${"0".repeat(64)}`;

/** A sealed proposal; published ones have a slot and come first, in slot order. */
export type SealedProposal = { operator: Address; seats: number; slot?: number | undefined };

/** A sealed ballot; `opened` if it was revealed. */
export type SealedBallot = {
  operator: Address;
  seats: number;
  opened?: { scores: readonly number[]; head: Hex } | undefined;
};

/** A voter that sealed nothing, and who said so. */
export type Absence = { operator: Address; seats: number; accuser: Address };

/**
 * Everything that a settlement depends on: `pot` is the round's, in wei, fixed when it was opened; `seed` the round's, which
 * only a round without proposals can be without.
 */
export type Play = {
  pot: bigint;
  proposals: readonly SealedProposal[];
  ballots: readonly SealedBallot[];
  absences?: readonly Absence[] | undefined;
  seed?: Hex | undefined;
  seedMissed?: boolean | undefined;
};

/**
 * What the round does to one operator, in wei; a fault is capped by what its stake account exposes. `accuser`: of an absent
 * voter, who gets a part of what that loses.
 */
export type Line = { operator: Address; pay: bigint; fault: bigint; accuser?: Address | undefined };

/**
 * `slots` and `factors` by slot, both empty if void; `lines` in the order in which they are settled; `bounty` is the
 * settler's, out of the pot.
 */
export type Outcome = {
  isVoid: boolean;
  slots: Slot[];
  factors: bigint[];
  reference: Hex | undefined;
  bounty: bigint;
  lines: Line[];
};

/** The head digest that `acceptBps` of the seats that named one agree on, if those that named one are a quorum. */
export function referenceOf(terms: Terms, opened: readonly { seats: number; head: Hex }[]): Hex | undefined {
  const seatsByHead = new Map<Hex, number>();
  let named = 0;
  for (const { seats, head } of opened) {
    if (head === NO_HEAD) continue;
    named += seats;
    seatsByHead.set(head, (seatsByHead.get(head) ?? 0) + seats);
  }
  if (named < quorumOf(terms)) return undefined;
  return [...seatsByHead].find(([, seats]) => seats * BPS >= terms.acceptBps * named)?.[0];
}

/** Settles a round: verdicts, pay, faults, factors. Pure: the stake accounts and the pot are the caller's. */
export function settleRound(terms: Terms, play: Play): Outcome {
  const { pot, proposals, ballots, absences = [], seed = NO_SEED, seedMissed = false } = play;
  const published = proposals.filter(({ slot }) => slot !== undefined);
  const opened = ballots.flatMap(({ seats, opened }) => (opened === undefined ? [] : [{ seats, ...opened }]));
  const revealed = opened.reduce((sum, { seats }) => sum + seats, 0);
  const isVoid = seedMissed || published.length === 0 || revealed < quorumOf(terms);

  const slots = isVoid ? [] : tally(terms, opened, published.length);
  const seats = published.map((proposal) => proposal.seats);
  const factors = factorsOf(terms, slots, seats);
  const bounty = isVoid ? 0n : settlerBounty(terms, pot);
  const weights = terms.payout === Payout.Ranked ? rankWeights(terms, slots, published, seed) : factors;
  const trainers = trainerPay(terms, pot - bounty, weights, seats);
  const voters = voterPay(terms, pot - bounty, slots, opened);
  const reference = isVoid ? undefined : referenceOf(terms, opened);

  const proposalLines = proposals.map(({ operator, seats, slot }): Line => {
    if (slot === undefined) return { operator, pay: 0n, fault: unopenedFault(terms, seats) };
    if (isVoid) return { operator, pay: 0n, fault: 0n }; // a void round forgives opinions, never omissions
    return { operator, pay: trainers[slot]!, fault: proposalFault(terms, seats, slots[slot]!.verdict) };
  });
  let voter = 0;
  const ballotLines = ballots.map(({ operator, seats, opened }): Line => {
    if (opened === undefined) return { operator, pay: 0n, fault: unopenedFault(terms, seats) };
    const pay = voters[voter++]!;
    if (isVoid) return { operator, pay: 0n, fault: 0n };
    return { operator, pay, fault: ballotFault(terms, slots, { seats, ...opened }, reference) };
  });
  const absent = isVoid ? [] : absences;
  const absentLines = absent.map(({ operator, seats, accuser }): Line => {
    return { operator, pay: 0n, fault: absenceFault(terms, seats), accuser };
  });
  return { isVoid, slots, factors, reference, bounty, lines: [...proposalLines, ...ballotLines, ...absentLines] };
}

/** Where slashed stake goes: nine tenths back to the task's pot (floor), and what accusers do not get of the rest burns. */
export function splitSlashed(slashed: bigint, bounties: bigint): { returned: bigint; burned: bigint } {
  const returned = (slashed * KEPT_TENTHS) / 10n;
  return { returned, burned: slashed - returned - bounties };
}
