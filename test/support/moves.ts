import type { Address, Hex } from "viem";
import type { EventArgs, EventName, FlockEvent, LogPlace, Told } from "../../protocol/replay/events.ts";
import { settle as settleByRules } from "../../protocol/replay/settlement.ts";
import { accountOf, openNumber, type Round, type State, type Task } from "../../protocol/replay/state.ts";
import { packScores } from "../../protocol/rules/ballots.ts";
import { ballotCommitment, proposalCommitment } from "../../protocol/rules/commitments.ts";
import { closing } from "../../protocol/rules/purse.ts";
import { seatsOf, voterSeed } from "../../protocol/rules/sortition.ts";
import { exitRequested, openWeight, touched, withdrawable } from "../../protocol/rules/stakePool.ts";
import type { Terms } from "../../protocol/terms.ts";
import { Role, SEED_DELAY } from "../../protocol/words.ts";
import type { Move } from "./game.ts";

/** What a trainer seals, and what a voter seals. */
export type ProposalSecret = { artifact: Hex; salt: Hex };
export type BallotSecret = { scores: readonly number[]; report: Hex; head: Hex; salt: Hex };

function say<Name extends EventName>(name: Name, args: EventArgs[Name]): Told {
  return { name, args } as unknown as Told;
}

const taskIn = (state: State, id: bigint): Task => state.tasks.get(id)!;

export function createTask(from: Address, terms: Terms, manifest: Hex): Move {
  return {
    ...{ from, contract: "TaskRegistry", name: "createTask", args: [terms, manifest] },
    told: (state) => [say("TaskCreated", { task: BigInt(state.tasks.size + 1), creator: from, manifest, terms })],
  };
}

export function fund(from: Address, task: bigint, amount: bigint): Move {
  return {
    ...{ from, contract: "RewardDistributor", name: "fund", args: [task, amount] },
    told: (state) => [say("Funded", { task, from, amount, refundable: from === taskIn(state, task).creator })],
  };
}

export function announceClose(task: bigint, creator: Address): Move {
  return {
    ...{ from: creator, contract: "RewardDistributor", name: "announceClose", args: [task] },
    told: (state, { blockTimestamp }) => [
      say("CloseAnnounced", { task, closableAt: blockTimestamp + taskIn(state, task).terms.unbonding }),
    ],
  };
}

export function close(from: Address, task: bigint): Move {
  return {
    ...{ from, contract: "RewardDistributor", name: "close", args: [task] },
    told: (state) => {
      const { refund, burned } = closing(taskIn(state, task).purse);
      const burn = burned > 0n ? [say("BurnScheduled", { amount: burned })] : [];
      return [...burn, say("TaskClosed", { task, refund, burned })];
    },
  };
}

export function stake(operator: Address, task: bigint, role: Role, amount: bigint): Move {
  return {
    ...{ from: operator, contract: "Staking", name: "stake", args: [task, role, amount] },
    told: (state) => {
      const countsFrom = (taskIn(state, task).round?.number ?? 0) + 1;
      return [say("Staked", { task, operator, role, amount, countsFrom })];
    },
  };
}

export function requestExit(operator: Address, id: bigint, amount: bigint): Move {
  return {
    ...{ from: operator, contract: "Staking", name: "requestExit", args: [id, amount] },
    told: (state, { blockTimestamp }) => {
      const task = taskIn(state, id);
      const before = touched(accountOf(task, operator), openNumber(task));
      const after = exitRequested(task.terms, before, amount, openNumber(task), blockTimestamp);
      const exposedTo = after.leaving > before.leaving ? after.leaveRound : 0;
      return [say("ExitRequested", { task: id, operator, amount, exposedTo, unlockAt: after.unlockAt })];
    },
  };
}

export function withdraw(from: Address, operator: Address, id: bigint): Move {
  return {
    ...{ from, contract: "Staking", name: "withdraw", args: [id, operator] },
    told: (state, { blockTimestamp }) => {
      const task = taskIn(state, id);
      const open = task.round?.open ? task.round : undefined;
      const amount = withdrawable(task.terms, accountOf(task, operator), open, blockTimestamp);
      return [say("Withdrawn", { task: id, operator, amount })];
    },
  };
}

export function claim(from: Address, operator: Address, task: bigint): Move {
  return {
    ...{ from, contract: "Staking", name: "claim", args: [task, operator] },
    told: (state) => [say("Claimed", { task, operator, amount: accountOf(taskIn(state, task), operator).claimable })],
  };
}

export function announce(operator: Address, endpoint: string): Move {
  return {
    ...{ from: operator, contract: "Staking", name: "announce", args: [endpoint] },
    told: () => [say("EndpointAnnounced", { operator, endpoint })],
  };
}

/** Only where something waits to be burned: the rules have no word for sweeping nothing. */
export function sweepBurn(from: Address): Move {
  return {
    ...{ from, contract: "Staking", name: "sweepBurn", args: [] },
    told: (state) => [say("BurnSwept", { amount: state.toBurn })],
  };
}

export function openRound(from: Address, task: bigint): Move {
  return {
    ...{ from, contract: "Rounds", name: "openRound", args: [task] },
    told: (state, { blockNumber, blockTimestamp }) => {
      const { round, trainerTotal, voterTotal } = taskIn(state, task);
      const args = { seedBlock: blockNumber + SEED_DELAY, openedAt: blockTimestamp, trainerTotal, voterTotal };
      return [say("RoundOpened", { task, round: (round?.number ?? 0) + 1, ...args })];
    },
  };
}

/** `seed`: the hash of the round's seed block, which only the chain knows. */
export function latchSeed(from: Address, task: bigint, seed: Hex): Move {
  return {
    ...{ from, contract: "Rounds", name: "latchSeed", args: [task] },
    told: (state) => [say("SeedLatched", { task, round: taskIn(state, task).round?.number ?? 0, seed })],
  };
}

/** `seed` as in `latchSeed`: the first proposal of a round latches it. */
export function commitProposal(state: State, operator: Address, id: bigint, secret: ProposalSecret, seed: Hex): Move {
  const commitment = proposalCommitment(placeOf(state, "Rounds", id, operator), secret);
  return {
    ...{ from: operator, contract: "Rounds", name: "commitProposal", args: [id, commitment] },
    told: (state) => {
      const task = taskIn(state, id);
      const round = task.round?.number ?? 0;
      const latched = task.round?.seed;
      const latch = latched === undefined ? [say("SeedLatched", { task: id, round, seed })] : [];
      const pool = { pool: Role.Trainer, expected: task.terms.expectedTrainers, total: task.round?.trainerTotal ?? 0n };
      const seats = seatsIn(state, task, operator, latched ?? seed, pool);
      return [...latch, say("ProposalCommitted", { task: id, round, operator, seats, commitment })];
    },
  };
}

export function publishProposal(
  from: Address,
  operator: Address,
  task: bigint,
  { artifact, salt }: ProposalSecret,
): Move {
  return {
    ...{ from, contract: "Rounds", name: "publishProposal", args: [task, operator, artifact, salt] },
    told: (state) => {
      const { round } = taskIn(state, task);
      const slot = round?.published.length ?? 0;
      return [say("ProposalPublished", { task, round: round?.number ?? 0, operator, slot, artifact, salt })];
    },
  };
}

export function commitBallot(state: State, operator: Address, id: bigint, secret: BallotSecret): Move {
  const content = { ...secret, scores: packScores(secret.scores) };
  const commitment = ballotCommitment(placeOf(state, "ValidatorVoting", id, operator), content);
  return {
    ...{ from: operator, contract: "ValidatorVoting", name: "commitBallot", args: [id, commitment] },
    told: (state) => {
      const task = taskIn(state, id);
      const { terms, round } = task;
      const seed = round?.seed && voterSeed(round.seed, round.accumulator);
      const pool = { pool: Role.Validator, expected: terms.expectedVoters, total: round?.voterTotal ?? 0n };
      const seats = seatsIn(state, task, operator, seed, pool);
      return [say("BallotCommitted", { task: id, round: round?.number ?? 0, operator, seats, commitment })];
    },
  };
}

export function revealBallot(from: Address, operator: Address, task: bigint, secret: BallotSecret): Move {
  const { report, head, salt } = secret;
  const scores = packScores(secret.scores);
  return {
    ...{ from, contract: "ValidatorVoting", name: "revealBallot", args: [task, operator, scores, report, head, salt] },
    told: (state) => [
      say("BallotRevealed", { task, round: taskIn(state, task).round?.number ?? 0, operator, scores, report, head }),
    ],
  };
}

export function settle(from: Address, state: State, task: bigint): Move {
  const { round } = taskIn(state, task);
  const ascending = (a: Address, b: Address) => (BigInt(a) < BigInt(b) ? -1 : 1);
  const published = round?.published.map(({ operator }) => operator) ?? [];
  const unpublished = [...(round?.proposals.values() ?? [])].filter(({ slot }) => slot === undefined);
  const proposers = [...published, ...unpublished.map(({ operator }) => operator).sort(ascending)];
  const voters = [...(round?.ballots.keys() ?? [])].sort(ascending);
  return {
    ...{ from, contract: "RewardDistributor", name: "settle", args: [task, proposers, voters] },
    told: (state, place) => settleByRules(state, roundEvent(task, round, place)),
  };
}

function roundEvent(
  task: bigint,
  round: Round | undefined,
  place: LogPlace,
): FlockEvent & { args: EventArgs["RoundSettled"] } {
  const args = { task, round: round?.number ?? 0 } as EventArgs["RoundSettled"];
  return { name: "RoundSettled", args, ...place };
}

function placeOf(state: State, contract: "Rounds" | "ValidatorVoting", task: bigint, operator: Address) {
  const round = taskIn(state, task).round?.number ?? 0;
  const { chainId, addresses } = state.deployment;
  return { chainId, contract: addresses[contract], task, round, operator };
}

type Pool = { pool: Role; expected: number; total: bigint };

function seatsIn(
  { deployment }: State,
  task: Task,
  operator: Address,
  seed: Hex | undefined,
  { pool, expected, total }: Pool,
) {
  const { id, terms, round } = task;
  const account = touched(accountOf(task, operator), round?.number);
  if (seed === undefined || round === undefined || account.role !== pool) return 0;
  const ticket = { seed, rounds: deployment.addresses.Rounds, task: id, round: round.number, pool, operator };
  return seatsOf(ticket, { weight: openWeight(terms, account), total, expected, seatStake: terms.seatStake });
}
