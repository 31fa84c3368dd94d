import { zeroHash } from "viem";
import { clockOf, type Round, type Task } from "../protocol/replay/state.ts";
import { phaseAt } from "../protocol/rules/phases.ts";
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
  const [found, poll, phase] = await Promise.all([
    getters.round(task.id),
    getters.poll(task.id),
    getters.phase(task.id),
  ]);
  if (round === undefined) return differences(where, { number: 0, open: false, paidRounds, voids }, found);
  const { number, open, openedAt, seedBlock, voterBlock, onTime, lastPublishedAt, trainerTotal, voterTotal } = round;
  const { seed, voterSeed } = round;
  const expected = {
    ...{ number, open, openedAt, seedBlock, voterBlock, onTime, lastPublishedAt, trainerTotal, voterTotal },
    ...{ paidRounds, voids, seed: seed ?? zeroHash, accumulator: round.accumulator },
    seedsLatched: voterSeed !== undefined ? 2 : seed !== undefined ? 1 : 0,
    ...{ sealedCount: round.proposals.size, published: round.published.length },
  };
  return [
    ...differences(where, expected, found),
    ...differences(`poll of ${where}`, pollOf(round), pollIn(poll, number)),
    ...differences(where, phaseOf(task, round, block), phase),
  ];
}

type Poll = Omit<Awaited<ReturnType<Getters["poll"]>>, "round">;

const NO_BALLOTS: Poll = {
  ...{ ballots: 0, revealed: 0, accused: 0 },
  ...{ sealedSeats: 0, revealedSeats: 0, onTimeSeats: 0, lastRevealedAt: 0 },
};

function pollOf({ ballots, absences, ...round }: Round): Poll {
  const { revealed, sealedSeats, revealedSeats, onTimeSeats, lastRevealedAt } = round;
  const counts = { ballots: ballots.size, revealed, accused: absences.size };
  return { ...counts, sealedSeats, revealedSeats, onTimeSeats, lastRevealedAt };
}

/** A poll is reset by the first ballot of a round: until then it still tells of an earlier one. */
function pollIn(poll: Awaited<ReturnType<Getters["poll"]>>, round: number): Poll {
  return poll.round === round ? poll : NO_BALLOTS;
}

function phaseOf(task: Task, round: Round, block: ComparedBlock): { phase?: Phase; endsAt?: number } {
  if (!round.open) return { phase: Phase.None, endsAt: 0 };
  // Without a seed only the chain knows how far it still looks back.
  if (round.seed === undefined) return {};
  return phaseAt(task.terms, clockOf(round, false), block.timestamp);
}
