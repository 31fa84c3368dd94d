import { ballotFlaw } from "../rules/ballots.ts";
import { revealDeadline } from "../rules/phases.ts";
import { seatsOf, voterSeed } from "../rules/sortition.ts";
import { openWeight, touched } from "../rules/stakePool.ts";
import { MAX_BALLOTS, Phase, Role } from "../words.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent } from "./events.ts";
import { roundOf } from "./rounds.ts";
import { accountOf, clockOf, type State } from "./state.ts";
import { taskOf } from "./tasks.ts";

export function ballotCommitted(state: State, event: FlockEvent<"BallotCommitted">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Ballot);
  const { operator, seats, commitment } = event.args;
  demand(event, !round.ballots.has(operator), "one ballot per operator and round", operator);
  demand(event, round.ballots.size < MAX_BALLOTS, `at most ${MAX_BALLOTS} ballots`, operator);
  demand(event, round.seed !== undefined, "a latched seed", "none");
  const account = touched(accountOf(task, operator), round.number);
  const weight = account.role === Role.Validator ? openWeight(task.terms, account) : 0n;
  const ticket = {
    seed: voterSeed(round.seed, round.accumulator),
    rounds: state.deployment.addresses.Rounds,
    task: task.id,
    round: round.number,
    pool: Role.Validator,
    operator,
  };
  const { expectedVoters: expected, seatStake } = task.terms;
  check(event, "seats", seatsOf(ticket, { weight, total: round.voterTotal, expected, seatStake }), seats);
  demand(event, seats > 0, "at least one seat", seats);
  round.ballots.set(operator, { operator, seats, commitment });
  round.sealedSeats += seats;
}

export function ballotRevealed(state: State, event: FlockEvent<"BallotRevealed">): void {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Reveal);
  const { operator, scores, report, head } = event.args;
  const ballot = round.ballots.get(operator);
  demand(event, ballot !== undefined && ballot.scores === undefined, "a sealed ballot, revealed once", operator);
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
