import type { Address } from "viem";
import {
  accepted,
  type Delegation,
  delegated as delegatedTo,
  isUndelegated,
  type Parts,
  touchedPool,
  touchedPosition,
} from "../rules/delegation.ts";
import { signerSet as signerNamed } from "../rules/signers.ts";
import { type Account, deposited, isEmpty, touched } from "../rules/stakePool.ts";
import { nextWeight, openWeight } from "../rules/weights.ts";
import { BPS, MAX_ENDPOINT, Role, Roles } from "../words.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent } from "./events.ts";
import { accountOf, delegationOf, openNumber, positionOf, type State, signersOf, type Task } from "./state.ts";
import { taskOf } from "./tasks.ts";

/** The pool of an operator and its weight in the open round or, if none is open, in the next one. */
export function weightIn(task: Task, operator: Address): { role: Role; weight: bigint } {
  const account = touched(accountOf(task, operator), openNumber(task));
  const pool = touchedPool(delegationOf(task, operator), openNumber(task));
  return { role: account.role, weight: openWeight(task.terms, account, pool) };
}

/** Writes an operator's own stake, what is delegated to it, or both, and keeps the totals of the next round in step. */
export function putStake(
  task: Task,
  operator: Address,
  { account, pool }: { account?: Account | undefined; pool?: Delegation | undefined },
): void {
  const [oldAccount, oldPool] = [accountOf(task, operator), delegationOf(task, operator)];
  const { role } = account ?? oldAccount;
  const before = nextWeight(task.terms, oldAccount, oldPool);
  const change = nextWeight(task.terms, account ?? oldAccount, pool ?? oldPool) - before;
  if (role !== Role.Validator) task.trainerTotal += change;
  if (role !== Role.Trainer) task.voterTotal += change;
  if (account !== undefined) task.accounts.set(operator, account);
  if (pool !== undefined) task.delegations.set(operator, pool);
}

/** A position and its pool, both touched. */
export function partsOf(task: Task, operator: Address, owner: Address): Parts {
  const open = openNumber(task);
  const pool = touchedPool(delegationOf(task, operator), open);
  return { pool, position: touchedPosition(positionOf(task, operator, owner), pool, open) };
}

/** Writes a position and its pool. */
export function putParts(task: Task, operator: Address, owner: Address, { pool, position }: Parts): void {
  const positions = task.positions.get(operator) ?? new Map();
  task.positions.set(operator, positions.set(owner, position));
  putStake(task, operator, { pool });
}

/** The number of the round from which a change counts that is made now. */
function nextRound(task: Task): number {
  return (task.round?.number ?? 0) + 1;
}

export function staked(state: State, event: FlockEvent<"Staked">): void {
  const task = taskOf(state, event);
  const { operator, role, amount, countsFrom } = event.args;
  const open = openNumber(task);
  const account = touched(accountOf(task, operator), open);
  const pool = touchedPool(delegationOf(task, operator), open);
  const isFree = account.since === 0 || (isEmpty(account) && isUndelegated(pool));
  demand(event, !task.closed, "no stake in a closed task", amount);
  demand(event, amount > 0n, "a stake above zero", amount);
  const isPool = (role === Role.Drawn) === (task.terms.roles === Roles.Drawn);
  demand(event, isPool, "a pool that the task has", role);
  demand(event, role === account.role || isFree, "one role until nothing is staked or delegated", role);
  check(event, "countsFrom", nextRound(task), countsFrom);
  const next = deposited(account, role, amount, open);
  putStake(task, operator, { account: { ...next, since: next.since === 0 ? countsFrom : next.since } });
}

export function delegationAccepted(state: State, event: FlockEvent<"DelegationAccepted">): void {
  const task = taskOf(state, event);
  const { operator, commissionBps } = event.args;
  const pool = touchedPool(delegationOf(task, operator), openNumber(task));
  demand(event, !task.closed, "no delegation in a closed task", operator);
  demand(event, commissionBps <= BPS, `a commission of at most ${BPS}`, commissionBps);
  demand(event, isUndelegated(pool), "nothing delegated", pool.shares + pool.leavingShares);
  putStake(task, operator, { pool: accepted(pool, commissionBps) });
}

export function delegated(state: State, event: FlockEvent<"Delegated">): void {
  const task = taskOf(state, event);
  const { operator, owner, amount, countsFrom } = event.args;
  const parts = partsOf(task, operator, owner);
  demand(event, !task.closed, "no stake in a closed task", amount);
  demand(event, amount > 0n, "a stake above zero", amount);
  demand(event, parts.pool.accepts, "an operator that accepts delegation", operator);
  demand(event, owner !== operator, "an operator other than the owner", owner);
  check(event, "countsFrom", nextRound(task), countsFrom);
  putParts(task, operator, owner, delegatedTo(parts, amount, openNumber(task)));
}

/** A bounty or a refund; only a settlement or a close can credit it. */
export function credited(state: State, event: FlockEvent<"Credited">): void {
  const task = taskOf(state, event);
  const { to, amount } = event.args;
  const account = accountOf(task, to);
  task.accounts.set(to, { ...account, claimable: account.claimable + amount });
}

export function signerSet(state: State, event: FlockEvent<"SignerSet">): void {
  const task = taskOf(state, event);
  const { operator, signer, countsFrom } = event.args;
  demand(event, !task.closed, "no signer in a closed task", signer);
  const next = signerNamed(signersOf(task, operator), signer, task.round?.number ?? 0);
  check(event, "countsFrom", next.from, countsFrom);
  task.signers.set(operator, next);
}

export function signerRevoked(state: State, event: FlockEvent<"SignerRevoked">): void {
  // Anyone may take back what it never gave, in tasks that do not exist as well.
  state.tasks.get(event.args.task)?.signers.delete(event.args.operator);
}

export function endpointAnnounced(state: State, event: FlockEvent<"EndpointAnnounced">): void {
  const { operator, endpoint } = event.args;
  // Anyone may announce bytes that are no UTF-8: each comes decoded as one U+FFFD, which would be three bytes again.
  demand(event, [...endpoint].length <= MAX_ENDPOINT, `at most ${MAX_ENDPOINT} bytes`, endpoint);
  state.endpoints.set(operator, endpoint);
}

export function burnSwept(state: State, event: FlockEvent<"BurnSwept">): void {
  demand(event, state.toBurn > 0n, "something to burn", 0n);
  check(event, "amount", state.toBurn, event.args.amount);
  state.toBurn = 0n;
}
