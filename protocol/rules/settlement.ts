import type { Address, Hex } from "viem";
import type { Terms } from "../terms.ts";
import { BPS } from "../words.ts";
import { NO_HEAD } from "./ballots.ts";
import { ballotFault, proposalFault, unopenedFault } from "./faults.ts";
import { factorsOf, trainerPay, voterPay } from "./payouts.ts";
import { quorumOf, type Slot, tally } from "./tally.ts";

/** A sealed proposal; published ones have a slot and come first, in slot order. */
export type SealedProposal = { operator: Address; seats: number; slot?: number | undefined };

/** A sealed ballot; `opened` if it was revealed. */
export type SealedBallot = {
  operator: Address;
  seats: number;
  opened?: { scores: readonly number[]; head: Hex } | undefined;
};

/** Everything that a settlement depends on: `pot` is the round's, in wei, fixed when it was opened. */
export type Play = {
  pot: bigint;
  proposals: readonly SealedProposal[];
  ballots: readonly SealedBallot[];
  seedMissed?: boolean | undefined;
};

/** What the round does to one operator, in wei; a fault is capped by what its stake account exposes. */
export type Line = { operator: Address; pay: bigint; fault: bigint };

/** `slots` and `factors` by slot, both empty if void; `lines` in the order in which they are settled. */
export type Outcome = { isVoid: boolean; slots: Slot[]; factors: bigint[]; reference: Hex | undefined; lines: Line[] };

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
export function settleRound(terms: Terms, { pot, proposals, ballots, seedMissed = false }: Play): Outcome {
  const published = proposals.filter(({ slot }) => slot !== undefined);
  const opened = ballots.flatMap(({ seats, opened }) => (opened === undefined ? [] : [{ seats, ...opened }]));
  const revealed = opened.reduce((sum, { seats }) => sum + seats, 0);
  const isVoid = seedMissed || published.length === 0 || revealed < quorumOf(terms);

  const slots = isVoid ? [] : tally(terms, opened, published.length);
  const seats = published.map((proposal) => proposal.seats);
  const factors = factorsOf(terms, slots, seats);
  const trainers = trainerPay(terms, pot, factors, seats);
  const voters = voterPay(terms, pot, slots, opened);
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
  return { isVoid, slots, factors, reference, lines: [...proposalLines, ...ballotLines] };
}

/** Where slashed stake goes: nine tenths back to the task's pot (floor), the rest is burned. */
export function splitSlashed(slashed: bigint): { returned: bigint; burned: bigint } {
  const returned = (slashed * 9n) / 10n;
  return { returned, burned: slashed - returned };
}
