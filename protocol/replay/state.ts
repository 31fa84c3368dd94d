import type { Address, Hex } from "viem";
import type { Deployment } from "../deployment.ts";
import { type Delegation, emptyDelegation, emptyPosition, type Position } from "../rules/delegation.ts";
import type { Clock } from "../rules/phases.ts";
import type { Purse } from "../rules/purse.ts";
import type { Absence, SealedBallot, SealedProposal } from "../rules/settlement.ts";
import { noSigners, type Signers } from "../rules/signers.ts";
import { type Account, emptyAccount } from "../rules/stakePool.ts";
import type { Slot } from "../rules/tally.ts";
import type { Terms } from "../terms.ts";
import type { Awaited, FlockEvent } from "./events.ts";

/** A sealed proposal of the newest round; `artifact` and `slot` once it is published. */
export type Proposal = { operator: Address; seats: number; commitment: Hex; slot?: number; artifact?: Hex };

/** A sealed ballot of the newest round; the rest once it is revealed. */
export type Ballot = { operator: Address; seats: number; commitment: Hex; scores?: bigint; report?: Hex; head?: Hex };

/** The newest round of a task; it stays readable after it was settled, until the next one opens. */
export type Round = {
  number: number;
  open: boolean;
  openedAt: number;
  seedBlock: number;
  voterBlock: number; // 0 before the first publication
  trainerTotal: bigint;
  voterTotal: bigint;
  pot: bigint;
  seed: Hex | undefined;
  accumulator: Hex;
  /** The value of `voterBlock` once latched, and the voters' seed as far as proposals are published. */
  voterValue: Hex | undefined;
  voterSeed: Hex | undefined;
  proposals: Map<Address, Proposal>;
  published: Proposal[]; // by slot
  onTime: number;
  lastPublishedAt: number;
  ballots: Map<Address, Ballot>;
  absences: Map<Address, Absence>;
  revealed: number;
  sealedSeats: number;
  revealedSeats: number;
  onTimeSeats: number;
  lastRevealedAt: number;
};

/** One step of the head's lineage. */
export type Head = {
  round: number;
  parentId: Hex;
  headId: Hex;
  published: number;
  artifacts: readonly Hex[];
  factors: readonly bigint[];
};

/**
 * What a settlement did to one operator: what it was paid, and what its stake lost; of both the delegators' part. `bounty`:
 * of an absent voter, what its accuser got.
 */
export type SettledAccount = {
  operator: Address;
  paid: bigint;
  toDelegators: bigint;
  slashed: bigint;
  fromDelegated: bigint;
  bounty: bigint;
};

/** A settled round, as an auditor reads it: who did what, what was decided, who was paid and slashed. */
export type SettledRound = {
  number: number;
  openedAt: number;
  seedBlock: number;
  seed: Hex | undefined;
  voterBlock: number;
  voterValue: Hex | undefined;
  isVoid: boolean;
  pot: bigint;
  paid: bigint;
  slashed: bigint;
  burned: bigint;
  bounty: bigint; // the settler's
  proposals: readonly (SealedProposal & { artifact?: Hex | undefined })[];
  ballots: readonly SealedBallot[];
  absences: readonly Absence[];
  accounts: readonly SettledAccount[]; // in the order of the settlement
  slots: readonly Slot[];
  reference: Hex | undefined; // the head digest that the voters agreed on, of the head the round started from
  headId: Hex; // after the round
};

export type Task = {
  id: bigint;
  creator: Address;
  manifest: Hex;
  terms: Terms;
  closed: boolean;
  closableAt: number; // end of the creator's notice, 0 without one
  headId: Hex;
  heads: Head[];
  accounts: Map<Address, Account>;
  /** What is delegated, by operator, and to whom it belongs, by operator and owner. */
  delegations: Map<Address, Delegation>;
  positions: Map<Address, Map<Address, Position>>;
  signers: Map<Address, Signers>;
  /** Sums of the weights that count in the round that opens next; with drawn roles both are the one pool's. */
  trainerTotal: bigint;
  voterTotal: bigint;
  purse: Purse;
  paidRounds: number;
  voids: number; // in a row
  round: Round | undefined;
  history: SettledRound[];
};

/** Everything that the contracts of a deployment hold, rebuilt from their events alone. */
export type State = {
  deployment: Deployment;
  tasks: Map<bigint, Task>;
  endpoints: Map<Address, string>;
  toBurn: bigint;
  events: number;
  last: FlockEvent | undefined;
  /** What the rest of a settlement's or a closing transaction must say, in order. */
  awaited: Awaited[];
  /** Burned by a task that must say next that it closes. */
  burning: bigint;
};

/** The state before the first event. */
export function emptyState(deployment: Deployment): State {
  return {
    deployment,
    tasks: new Map(),
    endpoints: new Map(),
    toBurn: 0n,
    events: 0,
    last: undefined,
    awaited: [],
    burning: 0n,
  };
}

/** Number of the open round, undefined if none is open. */
export function openNumber(task: Task): number | undefined {
  return task.round?.open ? task.round.number : undefined;
}

export function accountOf(task: Task, operator: Address): Account {
  return task.accounts.get(operator) ?? emptyAccount();
}

export function delegationOf(task: Task, operator: Address): Delegation {
  return task.delegations.get(operator) ?? emptyDelegation();
}

export function positionOf(task: Task, operator: Address, owner: Address): Position {
  return task.positions.get(operator)?.get(owner) ?? emptyPosition();
}

export function signersOf(task: Task, operator: Address): Signers {
  return task.signers.get(operator) ?? noSigners();
}

export function clockOf(round: Round, seedMissed: boolean): Clock {
  const { openedAt, onTime, lastPublishedAt, sealedSeats, revealedSeats, onTimeSeats, lastRevealedAt } = round;
  return {
    openedAt,
    sealed: round.proposals.size,
    published: round.published.length,
    onTime,
    lastPublishedAt,
    sealedSeats,
    revealedSeats,
    onTimeSeats,
    lastRevealedAt,
    seedMissed,
  };
}

/** Every wei that the vault must hold. */
export function vaultOf(state: State): bigint {
  let sum = state.toBurn;
  for (const { accounts, delegations, purse } of state.tasks.values()) {
    sum += purse.pot + purse.incoming;
    for (const { active, joining, left, owed } of delegations.values()) sum += active + joining + left + owed;
    for (const { active, joining, leaving, left, claimable } of accounts.values()) {
      sum += active + joining + leaving + left + claimable;
    }
  }
  return sum;
}
