import { type Address, type PublicClient, toHex } from "viem";
import {
  accountOf,
  clockOf,
  openNumber,
  type Round,
  type State,
  type Task,
  vaultOf,
} from "../protocol/replay/state.ts";
import { phaseAt } from "../protocol/rules/phases.ts";
import { roundPot } from "../protocol/rules/purse.ts";
import { touched } from "../protocol/rules/stakePool.ts";
import { Phase } from "../protocol/words.ts";
import { asFailure } from "./chain.ts";
import { type Difference, differences } from "./difference.ts";
import { type Getters, gettersAt } from "./getters.ts";

/** Operators whose getters are read at once. */
const BATCH = 16;

/** The block at whose end everything is compared; `timestamp` in seconds since 1970. */
export type ComparedBlock = { number: bigint; timestamp: number };

/**
 * Every difference between the replayed state of a task and what the contracts' getters say at the end of a block, and
 * between all that is owed and what the vault holds.
 */
export async function compare(
  client: PublicClient,
  state: State,
  task: Task,
  block: ComparedBlock,
): Promise<Difference[]> {
  const getters = gettersAt(client, state.deployment, block.number);
  try {
    return [
      ...(await compareTask(getters, task)),
      ...(await compareRound(getters, task, block)),
      ...(await compareOperators(getters, task)),
      ...(await compareSeeds(client, task)),
      ...(await compareVault(getters, state)),
    ];
  } catch (error) {
    throw asFailure(error, `comparing task ${task.id} with the contracts at block ${block.number}`);
  }
}

async function compareTask(getters: Getters, task: Task): Promise<Difference[]> {
  const { creator, manifest, headId, heads, closed } = task;
  const { trainerTotal, voterTotal } = task;
  return [
    ...differences(
      `task ${task.id}`,
      { creator, manifest, headId, heads: heads.length, closed },
      await getters.task(task.id),
    ),
    ...differences(`terms of task ${task.id}`, task.terms, await getters.terms(task.id)),
    ...differences(`stake of task ${task.id}`, { trainerTotal, voterTotal }, await getters.totals(task.id)),
    ...differences(`purse of task ${task.id}`, task.purse, await getters.purse(task.id)),
    ...differences(
      `task ${task.id}`,
      { potOfRound: roundPot(task.purse, task.terms, task.paidRounds) },
      { potOfRound: await getters.potOfRound(task.id) },
    ),
  ];
}

async function compareRound(getters: Getters, task: Task, block: ComparedBlock): Promise<Difference[]> {
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

async function compareOperators(getters: Getters, task: Task): Promise<Difference[]> {
  const operators = [...task.accounts.keys()];
  const found: Difference[] = [];
  for (let at = 0; at < operators.length; at += BATCH) {
    const batch = operators.slice(at, at + BATCH);
    const each = await Promise.all(batch.map((operator) => compareOperator(getters, task, operator)));
    found.push(...each.flat());
  }
  return found;
}

async function compareOperator(getters: Getters, task: Task, operator: Address): Promise<Difference[]> {
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

/** Each latched seed must be the hash of the block that was named before it existed. */
async function compareSeeds(client: PublicClient, task: Task): Promise<Difference[]> {
  const rounds = [...task.history, ...(task.round?.open ? [task.round] : [])];
  const found: Difference[] = [];
  for (const { number, seedBlock, seed } of rounds) {
    if (seed === undefined) continue;
    const { hash } = await client.getBlock({ blockNumber: seedBlock });
    found.push(...differences(`round ${number} of task ${task.id}`, { seed: hash }, { seed }));
  }
  return found;
}

/** The vault may hold more than it owes, for anyone may send it tokens; never less. */
async function compareVault(getters: Getters, state: State): Promise<Difference[]> {
  const owed = vaultOf(state);
  const held = await getters.vault();
  return [
    ...differences("Staking", { toBurn: state.toBurn }, { toBurn: await getters.toBurn() }),
    ...(held >= owed ? [] : [{ where: "the vault's balance", expected: `at least ${owed}`, found: String(held) }]),
  ];
}
