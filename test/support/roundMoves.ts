import type { Address, Hex } from "viem";
import type { EventArgs, FlockEvent, LogPlace, Told } from "../../protocol/replay/events.ts";
import { seatsIn } from "../../protocol/replay/rounds.ts";
import { partiesOf, settle as settleByRules } from "../../protocol/replay/settlement.ts";
import { type Round, type State, signersOf, type Task } from "../../protocol/replay/state.ts";
import { packScores } from "../../protocol/rules/ballots.ts";
import { ballotCommitment, proposalCommitment } from "../../protocol/rules/commitments.ts";
import { mayAct } from "../../protocol/rules/signers.ts";
import { mix, voterSeed } from "../../protocol/rules/sortition.ts";
import { Role, SEED_DELAY } from "../../protocol/words.ts";
import { type Move, Refused } from "./game.ts";
import { say, taskIn } from "./moves.ts";

/** What a trainer seals, and what a voter seals. */
export type ProposalSecret = { artifact: Hex; salt: Hex };
export type BallotSecret = { scores: readonly number[]; report: Hex; head: Hex; salt: Hex };

/** Opens a round; a void one that nobody settled is settled first. */
export function openRound(from: Address, id: bigint, state: State): Move {
  const { proposers, voters } = partiesIn(state, id);
  return {
    ...{ from, contract: "Rounds", name: "openRound", args: [id, proposers, voters] },
    told: (state, place) => {
      const task = taskIn(state, id);
      const settled = task.round?.open ? settlement(state, task, place, from) : [];
      const last = settled.at(-1);
      if (last?.name === "RoundSettled" && !last.args.isVoid) throw new Refused("the round before is not void");
      const { round, trainerTotal, voterTotal } = task;
      const seedBlock = Number(place.blockNumber) + SEED_DELAY;
      const args = { seedBlock, openedAt: place.blockTimestamp, trainerTotal, voterTotal };
      return [...settled, say("RoundOpened", { task: id, round: (round?.number ?? 0) + 1, ...args })];
    },
  };
}

/** `value`: the hash of the block of the seed that is next, which only the chain knows. */
export function latchSeed(from: Address, id: bigint, value: Hex): Move {
  return {
    ...{ from, contract: "Rounds", name: "latchSeed", args: [id] },
    told: (state) => {
      const { round } = taskIn(state, id);
      const of = { task: id, round: round?.number ?? 0 };
      return [
        round?.seed === undefined
          ? say("SeedLatched", { ...of, seed: value })
          : say("VoterSeedLatched", { ...of, value }),
      ];
    },
  };
}

/** `seed` as in `latchSeed`: the first proposal of a round latches it. `from`: the operator, or its signer. */
export function commitProposal(
  state: State,
  operator: Address,
  id: bigint,
  secret: ProposalSecret,
  seed: Hex,
  from = operator,
): Move {
  const commitment = proposalCommitment(placeOf(state, "Rounds", id, operator), secret);
  return {
    ...{ from, contract: "Rounds", name: "commitProposal", args: [id, operator, commitment] },
    told: (state) => {
      const { task, round, of } = sealing(state, id, operator, from);
      const latched = round.seed;
      const latch = latched === undefined ? [say("SeedLatched", { ...of, seed })] : [];
      const seats = seatsIn(state, task, { ...round, seed: latched ?? seed }, Role.Trainer, operator);
      return [...latch, say("ProposalCommitted", { ...of, operator, seats, commitment })];
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

/** How a ballot is sealed: `value` as in `latchSeed`, for the first one latches the voters' seed. */
export type Sealing = { value: Hex; copy?: Hex | undefined; from?: Address | undefined };

export function commitBallot(
  state: State,
  operator: Address,
  id: bigint,
  secret: BallotSecret,
  { value, copy = "0x", from = operator }: Sealing,
): Move {
  const content = { ...secret, scores: packScores(secret.scores) };
  const commitment = ballotCommitment(placeOf(state, "ValidatorVoting", id, operator), content);
  return {
    ...{ from, contract: "ValidatorVoting", name: "commitBallot", args: [id, operator, commitment, copy] },
    told: (state) => {
      const { task, round, of } = sealing(state, id, operator, from);
      const { seed, accumulator } = round;
      if (seed === undefined) throw new Refused("no seed, no voters");
      const latch = round.voterSeed === undefined ? [say("VoterSeedLatched", { ...of, value })] : [];
      const known = { ...round, voterSeed: round.voterSeed ?? voterSeed(seed, mix(accumulator, value)) };
      const seats = seatsIn(state, task, known, Role.Validator, operator);
      return [...latch, say("BallotCommitted", { ...of, operator, seats, commitment, copy })];
    },
  };
}

export function revealBallot(from: Address, operator: Address, task: bigint, secret: BallotSecret): Move {
  const { report, head, salt } = secret;
  const scores = packScores(secret.scores);
  return {
    ...{ from, contract: "ValidatorVoting", name: "revealBallot", args: [task, operator, scores, report, head, salt] },
    told: (state) => {
      const round = taskIn(state, task).round?.number ?? 0;
      return [say("BallotRevealed", { task, round, operator, scores, report, head, salt })];
    },
  };
}

export function accuseAbsence(accuser: Address, operator: Address, id: bigint): Move {
  return {
    ...{ from: accuser, contract: "ValidatorVoting", name: "accuseAbsence", args: [id, operator] },
    told: (state) => {
      const task = taskIn(state, id);
      const { round } = task;
      if (round === undefined) throw new Refused("there is no round");
      const seats = seatsIn(state, task, round, Role.Validator, operator);
      return [say("AbsenceAccused", { task: id, round: round.number, operator, seats, accuser })];
    },
  };
}

export function settle(from: Address, state: State, id: bigint): Move {
  const { proposers, voters } = partiesIn(state, id);
  return {
    ...{ from, contract: "RewardDistributor", name: "settle", args: [id, proposers, voters] },
    told: (state, place) => settlement(state, taskIn(state, id), place, from),
  };
}

/** What a settlement by `settler` says; the state is of no use afterwards but for what the settlement makes of the task. */
function settlement(state: State, { id, round }: Task, place: LogPlace, settler: Address): Told[] {
  const args = { task: id, round: round?.number ?? 0 } as EventArgs["RoundSettled"];
  const event: FlockEvent & { args: EventArgs["RoundSettled"] } = { name: "RoundSettled", args, ...place };
  return settleByRules(state, event).map((told) =>
    told.name === "Credited" ? say("Credited", { ...told.args, to: told.args.to ?? settler }) : (told as Told),
  );
}

function partiesIn(state: State, id: bigint): { proposers: Address[]; voters: Address[] } {
  const round = state.tasks.get(id)?.round;
  return round === undefined ? { proposers: [], voters: [] } : partiesOf(round);
}

/** The open round that `from` seals something in for an operator. */
function sealing(state: State, id: bigint, operator: Address, from: Address) {
  const task = taskIn(state, id);
  const { round } = task;
  if (round === undefined) throw new Refused("there is no round");
  if (!mayAct(signersOf(task, operator), operator, from, round.number)) throw new Refused("the operator or its signer");
  return { task, round: round as Round, of: { task: id, round: round.number } };
}

function placeOf(state: State, contract: "Rounds" | "ValidatorVoting", task: bigint, operator: Address) {
  const round = state.tasks.get(task)?.round?.number ?? 0;
  const { chainId, addresses } = state.deployment;
  return { chainId, contract: addresses[contract], task, round, operator };
}
