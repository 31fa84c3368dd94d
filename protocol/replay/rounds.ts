import { proposalCommitment } from "../rules/commitments.ts";
import { phaseAt, publishDeadline } from "../rules/phases.ts";
import { roundPot } from "../rules/purse.ts";
import { accumulate, seatsOf } from "../rules/sortition.ts";
import { openWeight, touched } from "../rules/stakePool.ts";
import { quorumOf } from "../rules/tally.ts";
import { MAX_PROPOSALS, nameOf, Phase, Role, SEED_DELAY, SEED_REACH } from "../words.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent } from "./events.ts";
import { accountOf, clockOf, openNumber, type Round, type State, type Task } from "./state.ts";
import { taskOf } from "./tasks.ts";

const ZERO_WORD = `0x${"0".repeat(64)}` as const;

/**
 * Whether the seed may have been missed. Events do not tell how far a chain looks back; within these bounds the contract
 * is believed, which decides nothing but when a round without proposals may be settled.
 */
export function seedMissed(round: Round, event: FlockEvent): boolean {
  return round.seed === undefined && event.blockNumber - round.seedBlock > SEED_REACH.least;
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

export function roundOpened(state: State, event: FlockEvent<"RoundOpened">): void {
  const task = taskOf(state, event);
  const { terms, trainerTotal, voterTotal } = task;
  const { args } = event;
  demand(event, !task.closed, "no round of a closed task", args.round);
  demand(event, openNumber(task) === undefined, "the last round settled", openNumber(task));
  demand(event, task.paidRounds < terms.rounds, `at most ${terms.rounds} paid rounds`, task.paidRounds);
  demand(event, task.voids < terms.maxVoids, `fewer than ${terms.maxVoids} void rounds in a row`, task.voids);
  demand(event, trainerTotal >= terms.seatStake, "trainers' stake for a seat", trainerTotal);
  const quorumStake = BigInt(quorumOf(terms)) * terms.seatStake;
  demand(event, voterTotal >= quorumStake, "voters' stake for a quorum", voterTotal);
  check(event, "round", (task.round?.number ?? 0) + 1, args.round);
  check(event, "openedAt", event.blockTimestamp, args.openedAt);
  check(event, "seedBlock", event.blockNumber + SEED_DELAY, args.seedBlock);
  check(event, "trainerTotal", trainerTotal, args.trainerTotal);
  check(event, "voterTotal", voterTotal, args.voterTotal);
  task.round = {
    number: args.round,
    open: true,
    openedAt: args.openedAt,
    seedBlock: args.seedBlock,
    trainerTotal,
    voterTotal,
    pot: roundPot(task.purse, terms, task.paidRounds),
    seed: undefined,
    accumulator: ZERO_WORD,
    proposals: new Map(),
    published: [],
    onTime: 0,
    lastPublishedAt: 0,
    ballots: new Map(),
    revealed: 0,
    sealedSeats: 0,
    revealedSeats: 0,
    onTimeSeats: 0,
    lastRevealedAt: 0,
  };
}

export function seedLatched(state: State, event: FlockEvent<"SeedLatched">): void {
  const round = roundOf(taskOf(state, event), event);
  const { seed } = event.args;
  demand(event, round.seed === undefined, "a seed is latched once", seed);
  demand(event, event.blockNumber > round.seedBlock, `a block after ${round.seedBlock}`, event.blockNumber);
  const latest = round.seedBlock + SEED_REACH.most;
  demand(event, event.blockNumber <= latest, `block ${latest} at the latest`, event.blockNumber);
  demand(event, BigInt(seed) !== 0n, "a seed that is not zero", seed);
  round.seed = seed;
}

export function proposalCommitted(state: State, event: FlockEvent<"ProposalCommitted">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Propose);
  const { operator, seats, commitment } = event.args;
  demand(event, !round.proposals.has(operator), "one proposal per operator and round", operator);
  demand(event, round.proposals.size < MAX_PROPOSALS, `at most ${MAX_PROPOSALS} proposals`, operator);
  demand(event, round.seed !== undefined, "a latched seed", "none");
  const account = touched(accountOf(task, operator), round.number);
  const weight = account.role === Role.Trainer ? openWeight(task.terms, account) : 0n;
  const ticket = {
    seed: round.seed,
    rounds: state.deployment.addresses.Rounds,
    task: task.id,
    round: round.number,
    pool: Role.Trainer,
    operator,
  };
  const { expectedTrainers: expected, seatStake } = task.terms;
  check(event, "seats", seatsOf(ticket, { weight, total: round.trainerTotal, expected, seatStake }), seats);
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
  proposal.slot = slot;
  proposal.artifact = artifact;
  round.published.push(proposal);
  round.accumulator = accumulate(round.accumulator, salt, operator);
  if (event.blockTimestamp < publishDeadline(task.terms, round.openedAt)) round.onTime += 1;
  round.lastPublishedAt = event.blockTimestamp;
}
