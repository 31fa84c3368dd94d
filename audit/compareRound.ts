import { type Address, toHex } from "viem";
import { accountOf, clockOf, openNumber, type Round, type Task } from "../protocol/replay/state.ts";
import { phaseAt } from "../protocol/rules/phases.ts";
import { touched } from "../protocol/rules/stakePool.ts";
import { Phase } from "../protocol/words.ts";
import { type Difference, differences } from "./difference.ts";
import type { Getters } from "./getters.ts";

/** The block at whose end everything is compared; `timestamp` in seconds since 1970. */
export type ComparedBlock = { number: bigint; timestamp: number };

/** Differences in the newest round: its record, its poll, its phase at the block's time. */
export async function compareRound(getters: Getters, task: Task, block: ComparedBlock): Promise<Difference[]> {
  const { round } = task;
  const { paidRounds, voids } = task;
  const where = `round ${round?.number ?? 0} of task ${task.id}`;
  const found = await getters.round(task.id);
  if (round === undefined) return differences(where, { number: 0, open: false, paidRounds, voids }, found);
  const { number, open, openedAt, seedBlock, onTime, lastPublishedAt, trainerTotal, voterTotal, accumulator } = round;
  const expected = {
    ...{ number, open, openedAt, seedBlock, onTime, lastPublishedAt, trainerTotal, voterTotal, accumulator },
    ...{ paidRounds, voids, seed: round.seed ?? toHex(0n, { size: 32 }) },
    ...{ sealedCount: round.proposals.size, published: round.published.length },
  };
  return [
    ...differences(where, expected, found),
    ...differences(`poll of ${where}`, pollOf(round), pollIn(await getters.poll(task.id), number)),
    ...differences(where, phaseOf(task, round, block), await getters.phase(task.id)),
  ];
}

const NO_BALLOTS = { ballots: 0, revealed: 0, sealedSeats: 0, revealedSeats: 0, onTimeSeats: 0, lastRevealedAt: 0 };

function pollOf({ ballots, revealed, sealedSeats, revealedSeats, onTimeSeats, lastRevealedAt }: Round) {
  return { ballots: ballots.size, revealed, sealedSeats, revealedSeats, onTimeSeats, lastRevealedAt };
}

/** A poll is reset by the first ballot of a round: until then it still tells of an earlier one. */
function pollIn(poll: Awaited<ReturnType<Getters["poll"]>>, round: number): typeof NO_BALLOTS {
  return poll.round === round ? poll : NO_BALLOTS;
}

function phaseOf(task: Task, round: Round, block: ComparedBlock): { phase?: Phase; endsAt?: number } {
  if (!round.open) return { phase: Phase.None, endsAt: 0 };
  // Without a seed only the chain knows how far it still looks back.
  if (round.seed === undefined) return {};
  return phaseAt(task.terms, clockOf(round, false), block.timestamp);
}

/** Differences in one operator's account, and in its proposal and ballot of the newest round. */
export async function compareOperator(getters: Getters, task: Task, operator: Address): Promise<Difference[]> {
  const account = await getters.account(task.id, operator);
  const expected = touched(accountOf(task, operator), openNumber(task));
  const stake = differences(`account of ${operator} in task ${task.id}`, named(expected), named(account));
  const { round } = task;
  if (round === undefined) return stake;
  const [proposal, ballot] = await Promise.all([
    getters.proposal(task.id, operator),
    getters.ballot(task.id, operator),
  ]);
  const ours = round.proposals.get(operator);
  const vote = round.ballots.get(operator);
  return [
    ...stake,
    ...differences(`proposal of ${operator} in round ${round.number}`, proposalRecord(ours, round.number), {
      ...proposal,
      sealed: proposal.round === round.number,
    }),
    ...differences(`ballot of ${operator} in round ${round.number}`, ballotRecord(vote, round.number), {
      ...ballot,
      sealed: ballot.round === round.number,
    }),
  ];
}

/** Rounds that an account names say nothing once no stake joins or leaves. */
function named<Stake extends { joining: bigint; joinRound: number; leaving: bigint; leaveRound: number }>(
  stake: Stake,
): Stake {
  const { joining, joinRound, leaving, leaveRound } = stake;
  return { ...stake, joinRound: joining > 0n ? joinRound : 0, leaveRound: leaving > 0n ? leaveRound : 0 };
}

function proposalRecord(
  proposal: { seats: number; commitment: string; slot?: number; artifact?: string } | undefined,
  round: number,
) {
  if (proposal === undefined) return { sealed: false };
  const { seats, commitment, slot, artifact } = proposal;
  return { sealed: true, round, seats, slot: slot ?? 0, published: slot !== undefined, word: artifact ?? commitment };
}

function ballotRecord(
  ballot: { seats: number; commitment: string; scores?: bigint; head?: string } | undefined,
  round: number,
) {
  if (ballot === undefined) return { sealed: false };
  const { seats, commitment, scores, head } = ballot;
  if (scores === undefined) return { sealed: true, round, seats, revealed: false, word: commitment };
  return { sealed: true, round, seats, revealed: true, word: toHex(scores, { size: 32 }), head };
}
