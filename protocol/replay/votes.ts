import { size } from "viem";
import { ballotFlaw } from "../rules/ballots.ts";
import { ballotCommitment } from "../rules/commitments.ts";
import { revealDeadline } from "../rules/phases.ts";
import { quorumOf } from "../rules/tally.ts";
import { MAX_BALLOTS, MAX_COPY, Phase, Role } from "../words.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent } from "./events.ts";
import { roundOf, seatsIn } from "./rounds.ts";
import { clockOf, type State } from "./state.ts";
import { taskOf } from "./tasks.ts";

export function ballotCommitted(state: State, event: FlockEvent<"BallotCommitted">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Ballot);
  const { operator, seats, commitment, copy } = event.args;
  demand(event, !round.ballots.has(operator), "one ballot per operator and round", operator);
  demand(event, round.ballots.size < MAX_BALLOTS, `at most ${MAX_BALLOTS} ballots`, operator);
  demand(event, round.voterSeed !== undefined, "a latched seed of the voters", "none");
  demand(event, size(copy) <= MAX_COPY, `a copy of at most ${MAX_COPY} bytes`, copy);
  check(event, "seats", seatsIn(state, task, round, Role.Validator, operator), seats);
  demand(event, seats > 0, "at least one seat", seats);
  round.ballots.set(operator, { operator, seats, commitment });
  round.sealedSeats += seats;
}

export function ballotRevealed(state: State, event: FlockEvent<"BallotRevealed">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Reveal);
  const { operator, scores, report, head, salt } = event.args;
  const ballot = round.ballots.get(operator);
  demand(event, ballot !== undefined && ballot.scores === undefined, "a sealed ballot, revealed once", operator);
  const { chainId, addresses } = state.deployment;
  const place = { chainId, contract: addresses.ValidatorVoting, task: task.id, round: round.number, operator };
  check(event, "commitment", ballot.commitment, ballotCommitment(place, { scores, report, head, salt }));
  const flaw = ballotFlaw(scores, head, round.published.length);
  demand(event, flaw === undefined, "a canonical ballot", flaw);
  ballot.scores = scores;
  ballot.report = report;
  ballot.head = head;
  round.revealed += 1;
  round.revealedSeats += ballot.seats;
  const deadline = revealDeadline(task.terms, clockOf(round, false), event.blockTimestamp);
  if (event.blockTimestamp < deadline) round.onTimeSeats += ballot.seats;
  round.lastRevealedAt = event.blockTimestamp;
}

export function absenceAccused(state: State, event: FlockEvent<"AbsenceAccused">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Reveal);
  const { operator, seats, accuser } = event.args;
  demand(event, round.sealedSeats >= quorumOf(task.terms), "a quorum of sealed seats", round.sealedSeats);
  const taken = round.ballots.size + round.absences.size;
  demand(event, taken < MAX_BALLOTS, `at most ${MAX_BALLOTS} ballots and absences`, taken);
  demand(event, !round.ballots.has(operator), "an operator that sealed no ballot", operator);
  demand(event, !round.absences.has(operator), "one accusation of an operator", operator);
  check(event, "seats", seatsIn(state, task, round, Role.Validator, operator), seats);
  demand(event, seats > 0, "at least one seat", seats);
  round.absences.set(operator, { operator, seats, accuser });
}
