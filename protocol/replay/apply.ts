import type { Deployment } from "../deployment.ts";
import { check, demand } from "./error.ts";
import type { Awaited, EventName, FlockEvent } from "./events.ts";
import { claimed, exitAsked, withdrew } from "./exits.ts";
import { proposalCommitted, proposalPublished, roundOpened, seedLatched, voterSeedLatched } from "./rounds.ts";
import { settle } from "./settlement.ts";
import {
  burnSwept,
  credited,
  delegated,
  delegationAccepted,
  endpointAnnounced,
  signerRevoked,
  signerSet,
  staked,
} from "./stakes.ts";
import { emptyState, openNumber, type State } from "./state.ts";
import { closeAnnounced, closeBegun, taskClosed, taskCreated, taskFunded, taskOf } from "./tasks.ts";
import { absenceAccused, ballotCommitted, ballotRevealed } from "./votes.ts";

type Handlers = { [Name in EventName]: (state: State, event: FlockEvent<Name>) => void };

const handlers: Handlers = {
  TaskCreated: taskCreated,
  Funded: taskFunded,
  CloseAnnounced: closeAnnounced,
  TaskClosed: taskClosed,
  Staked: staked,
  DelegationAccepted: delegationAccepted,
  Delegated: delegated,
  ExitRequested: exitAsked,
  Withdrawn: withdrew,
  Claimed: claimed,
  SignerSet: signerSet,
  SignerRevoked: signerRevoked,
  EndpointAnnounced: endpointAnnounced,
  BurnSwept: burnSwept,
  RoundOpened: roundOpened,
  SeedLatched: seedLatched,
  VoterSeedLatched: voterSeedLatched,
  ProposalCommitted: proposalCommitted,
  ProposalPublished: proposalPublished,
  BallotCommitted: ballotCommitted,
  BallotRevealed: ballotRevealed,
  AbsenceAccused: absenceAccused,
  Slashed: settlementBegun,
  Rewarded: settlementBegun,
  HeadReferenced: settlementBegun,
  HeadMoved: settlementBegun,
  RoundSettled: settlementBegun,
  Credited: creditBegun,
  BurnScheduled: burnScheduled,
};

/** The first log of a settlement: everything else that it says is known from here on. */
function settlementBegun(state: State, event: FlockEvent & { args: { task: bigint; round: number } }): void {
  state.awaited = settle(state, event);
  meet(state, event);
}

/** A settlement that slashes and rewards nobody begins with its settler's bounty; with no round open it is a close. */
function creditBegun(state: State, event: FlockEvent<"Credited">): void {
  const round = openNumber(taskOf(state, event));
  if (round !== undefined) state.awaited = settle(state, { ...event, args: { ...event.args, round } });
  else state.awaited = closeBegun(state, event);
  meet(state, event);
}

/** Outside a settlement only a closing task without a refund begins with a burn, and says next that it closes. */
function burnScheduled(state: State, event: FlockEvent<"BurnScheduled">): void {
  state.toBurn += event.args.amount;
  state.burning = event.args.amount;
}

/** Compares an event with the next one that its transaction must hold. */
function meet(state: State, event: FlockEvent): void {
  const { name, args } = state.awaited.shift() as Awaited;
  check(event, "event", name, event.name);
  const found = event.args as Record<string, unknown>;
  for (const [field, expected] of Object.entries(args)) {
    if (expected !== undefined) check(event, field, expected, found[field]);
  }
  if (event.name === "Credited") credited(state, event);
}

/**
 * Applies the next event to the state, in place. Whatever can be recomputed is recomputed and compared: seats, phases,
 * commitments, countings, verdicts, pay, faults, heads, refunds.
 * @throws ReplayError on the first event that cannot have happened or says something else; the state is then of no use.
 */
export function applyEvent(state: State, event: FlockEvent): State {
  const { last, awaited, burning } = state;
  const follows =
    last === undefined ||
    event.blockNumber > last.blockNumber ||
    (event.blockNumber === last.blockNumber && event.logIndex > last.logIndex);
  demand(event, follows, "logs in order", `${event.name} after ${last?.name}`);
  if (awaited.length > 0 || burning > 0n) check(event, "transaction", last?.transactionHash, event.transactionHash);

  if (awaited.length > 0) meet(state, event);
  else if (burning > 0n && event.name !== "TaskClosed") check(event, "event", "TaskClosed", event.name);
  else (handlers[event.name] as (state: State, event: FlockEvent) => void)(state, event);
  state.last = event;
  state.events += 1;
  return state;
}

/** The state after all events of a deployment. @throws ReplayError as `applyEvent`, or if a settlement is cut short. */
export function replayEvents(deployment: Deployment, events: Iterable<FlockEvent>): State {
  const state = emptyState(deployment);
  for (const event of events) applyEvent(state, event);
  const { last, awaited, burning } = state;
  if (last !== undefined) {
    check(
      last,
      "the logs after it",
      awaited.map(({ name }) => name),
      [],
    );
    check(last, "a burn that no task accounts for", 0n, burning);
  }
  return state;
}
