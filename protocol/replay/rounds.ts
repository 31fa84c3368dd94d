import type { Address, Hex } from "viem";
import { proposalCommitment } from "../rules/commitments.ts";
import { phaseAt, publishDeadline } from "../rules/phases.ts";
import { roundPot } from "../rules/purse.ts";
import { accumulate, mix, seatsAs, voterSeed } from "../rules/sortition.ts";
import { quorumOf } from "../rules/tally.ts";
import type { Terms } from "../terms.ts";
import { MAX_PROPOSALS, nameOf, Phase, Role, Roles, SEED_DELAY, SEED_REACH } from "../words.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent } from "./events.ts";
import { weightIn } from "./stakes.ts";
import { clockOf, openNumber, type Round, type State, type Task } from "./state.ts";
import { taskOf } from "./tasks.ts";

const ZERO_WORD = `0x${"0".repeat(64)}` as const;

/**
 * Whether the seed may have been missed. Events do not tell how far a chain looks back; within these bounds the contract
 * is believed, which decides nothing but when a round without proposals may be settled.
 */
export function seedMissed(round: Round, event: FlockEvent): boolean {
  return round.seed === undefined && Number(event.blockNumber) - round.seedBlock > SEED_REACH.least;
}

/** The open round that an event speaks of; with `phase`, also that it is in that phase at the event's time. */
export function roundOf(task: Task, event: FlockEvent & { args: { round: number } }, phase?: Phase): Round {
  const { round } = task;
  demand(event, round?.open === true, "an open round", "none");
  check(event, "round", round.number, event.args.round);
  if (phase !== undefined) {
    const now = phaseAt(task.terms, clockOf(round, seedMissed(round, event)), event.blockTimestamp).phase;
    check(event, "phase", nameOf(Phase, phase), nameOf(Phase, now));
  }
  return round;
}

/** Seats of an operator in the open round, as far as its seeds are latched. */
export function seatsIn(
  state: State,
  task: Task,
  round: Round,
  role: typeof Role.Trainer | typeof Role.Validator,
  operator: Address,
): number {
  const { role: pool, weight } = weightIn(task, operator);
  const rounds = state.deployment.addresses.Rounds;
  return seatsAs(
    task.terms,
    role,
    { rounds, task: task.id, round: round.number, pool, operator },
    { ...round, weight },
  );
}

/** @throws ReplayError unless the pools are large enough to open a round. */
function demandPools(event: FlockEvent, terms: Terms, { trainerTotal, voterTotal }: Task): void {
  const stakeOf = (seats: number) => BigInt(seats) * terms.seatStake;
  const quorum = quorumOf(terms);
  if (terms.roles === Roles.Drawn) {
    const enough = trainerTotal >= stakeOf(terms.expectedTrainers + quorum);
    demand(event, enough, "stake for the expected trainers and a quorum", trainerTotal);
  } else {
    demand(event, trainerTotal >= terms.seatStake, "trainers' stake for a seat", trainerTotal);
    demand(event, voterTotal >= stakeOf(quorum), "voters' stake for a quorum", voterTotal);
  }
}

export function roundOpened(state: State, event: FlockEvent<"RoundOpened">): void {
  const task = taskOf(state, event);
  const { terms, trainerTotal, voterTotal, closableAt } = task;
  const { args } = event;
  demand(event, !task.closed, "no round of a closed task", args.round);
  demand(event, closableAt === 0 || event.blockTimestamp < closableAt, "no round after the notice", closableAt);
  demand(event, openNumber(task) === undefined, "the last round settled", openNumber(task));
  demand(event, task.paidRounds < terms.rounds, `at most ${terms.rounds} paid rounds`, task.paidRounds);
  demand(event, task.voids < terms.maxVoids, `fewer than ${terms.maxVoids} void rounds in a row`, task.voids);
  demandPools(event, terms, task);
  check(event, "round", (task.round?.number ?? 0) + 1, args.round);
  check(event, "openedAt", event.blockTimestamp, args.openedAt);
  check(event, "seedBlock", Number(event.blockNumber) + SEED_DELAY, args.seedBlock);
  check(event, "trainerTotal", trainerTotal, args.trainerTotal);
  check(event, "voterTotal", voterTotal, args.voterTotal);
  task.round = {
    number: args.round,
    open: true,
    openedAt: args.openedAt,
    seedBlock: args.seedBlock,
    voterBlock: 0,
    trainerTotal,
    voterTotal,
    pot: roundPot(task.purse, terms, task.paidRounds),
    seed: undefined,
    accumulator: ZERO_WORD,
    voterValue: undefined,
    voterSeed: undefined,
    proposals: new Map(),
    published: [],
    onTime: 0,
    lastPublishedAt: 0,
    ballots: new Map(),
    absences: new Map(),
    revealed: 0,
    sealedSeats: 0,
    revealedSeats: 0,
    onTimeSeats: 0,
    lastRevealedAt: 0,
  };
}

/** @throws ReplayError unless a word can be the value of `block`, kept now. */
function demandValue(event: FlockEvent, block: number, value: Hex): void {
  const now = Number(event.blockNumber);
  demand(event, now > block, `a block after ${block}`, now);
  demand(event, now <= block + SEED_REACH.most, `block ${block + SEED_REACH.most} at the latest`, now);
  demand(event, BigInt(value) !== 0n, "a seed that is not zero", value);
}

export function seedLatched(state: State, event: FlockEvent<"SeedLatched">): void {
  const round = roundOf(taskOf(state, event), event);
  const { seed } = event.args;
  demand(event, round.seed === undefined, "a seed is latched once", seed);
  demandValue(event, round.seedBlock, seed);
  round.seed = seed;
}

export function voterSeedLatched(state: State, event: FlockEvent<"VoterSeedLatched">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event);
  const { value } = event.args;
  demand(event, round.seed !== undefined && round.published.length > 0, "a round with proposals", "none");
  demand(event, round.voterSeed === undefined, "the voters' seed is latched once", value);
  demandValue(event, round.voterBlock, value);
  round.voterValue = value;
  round.accumulator = mix(round.accumulator, value);
  round.voterSeed = voterSeed(round.seed, round.accumulator);
}

export function proposalCommitted(state: State, event: FlockEvent<"ProposalCommitted">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Propose);
  const { operator, seats, commitment } = event.args;
  demand(event, !round.proposals.has(operator), "one proposal per operator and round", operator);
  demand(event, round.proposals.size < MAX_PROPOSALS, `at most ${MAX_PROPOSALS} proposals`, operator);
  demand(event, round.seed !== undefined, "a latched seed", "none");
  check(event, "seats", seatsIn(state, task, round, Role.Trainer, operator), seats);
  demand(event, seats > 0, "at least one seat", seats);
  round.proposals.set(operator, { operator, seats, commitment });
}

export function proposalPublished(state: State, event: FlockEvent<"ProposalPublished">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Publish);
  const { operator, slot, artifact, salt } = event.args;
  const proposal = round.proposals.get(operator);
  demand(event, proposal !== undefined && proposal.slot === undefined, "a sealed proposal, published once", operator);
  const place = {
    chainId: state.deployment.chainId,
    contract: state.deployment.addresses.Rounds,
    task: task.id,
    round: round.number,
    operator,
  };
  check(event, "commitment", proposal.commitment, proposalCommitment(place, { artifact, salt }));
  check(event, "slot", round.published.length, slot);
  demand(
    event,
    round.published.every((other) => other.artifact !== artifact),
    "an artifact of its own",
    artifact,
  );
  if (slot === 0) round.voterBlock = Number(event.blockNumber) + SEED_DELAY;
  proposal.slot = slot;
  proposal.artifact = artifact;
  round.published.push(proposal);
  round.accumulator = accumulate(round.accumulator, salt, operator);
  if (round.voterSeed !== undefined) round.voterSeed = voterSeed(round.seed!, round.accumulator);
  if (event.blockTimestamp < publishDeadline(task.terms, round.openedAt)) round.onTime += 1;
  round.lastPublishedAt = event.blockTimestamp;
}
