import type { Address } from "viem";
import {
  type Account,
  deposited,
  exitRequested,
  isEmpty,
  nextWeight,
  touched,
  withdrawable,
  withdrawn,
} from "../rules/stakePool.ts";
import { MAX_ENDPOINT, Role } from "../words.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent } from "./events.ts";
import { accountOf, openNumber, type State, type Task } from "./state.ts";
import { taskOf } from "./tasks.ts";

/** Writes an account and keeps the totals of the next round in step. */
export function putAccount(task: Task, operator: Address, next: Account): void {
  const change = nextWeight(task.terms, next) - nextWeight(task.terms, accountOf(task, operator));
  if (next.role === Role.Trainer) task.trainerTotal += change;
  else task.voterTotal += change;
  task.accounts.set(operator, next);
}

export function staked(state: State, event: FlockEvent<"Staked">): void {
  const task = taskOf(state, event);
  const { operator, role, amount, countsFrom } = event.args;
  const account = touched(accountOf(task, operator), openNumber(task));
  demand(event, !task.closed, "no stake in a closed task", amount);
  demand(event, amount > 0n, "a stake above zero", amount);
  demand(event, role === account.role || isEmpty(account), "one role until the account is empty", role);
  check(event, "countsFrom", (task.round?.number ?? 0) + 1, countsFrom);
  const next = deposited(account, role, amount, openNumber(task));
  putAccount(task, operator, { ...next, since: next.since === 0 ? countsFrom : next.since });
}

export function exitAsked(state: State, event: FlockEvent<"ExitRequested">): void {
  const task = taskOf(state, event);
  const { operator, amount, exposedTo, unlockAt } = event.args;
  const account = touched(accountOf(task, operator), openNumber(task));
  demand(event, amount > 0n, "an exit above zero", amount);
  demand(event, amount <= account.active + account.joining, "at most what is staked", amount);
  const next = exitRequested(task.terms, account, amount, openNumber(task), event.blockTimestamp);
  check(event, "exposedTo", next.leaving > account.leaving ? next.leaveRound : 0, exposedTo);
  check(event, "unlockAt", next.unlockAt, unlockAt);
  putAccount(task, operator, next);
}

export function withdrew(state: State, event: FlockEvent<"Withdrawn">): void {
  const task = taskOf(state, event);
  const { operator, amount } = event.args;
  const account = accountOf(task, operator);
  const open = task.round?.open ? task.round : undefined;
  demand(event, amount > 0n, "a withdrawal above zero", amount);
  check(event, "amount", withdrawable(task.terms, account, open, event.blockTimestamp), amount);
  putAccount(task, operator, withdrawn(account, open?.number, amount));
}

export function claimed(state: State, event: FlockEvent<"Claimed">): void {
  const task = taskOf(state, event);
  const { operator, amount } = event.args;
  const account = accountOf(task, operator);
  demand(event, amount > 0n, "a claim above zero", amount);
  check(event, "amount", account.claimable, amount);
  task.accounts.set(operator, { ...account, claimable: 0n });
}

export function endpointAnnounced(state: State, event: FlockEvent<"EndpointAnnounced">): void {
  const { operator, endpoint } = event.args;
  // Anyone may announce bytes that are no UTF-8: each comes decoded as one U+FFFD, which would be three bytes again.
  demand(event, [...endpoint].length <= MAX_ENDPOINT, `at most ${MAX_ENDPOINT} bytes`, endpoint);
  state.endpoints.set(operator, endpoint);
}

export function burnSwept(state: State, event: FlockEvent<"BurnSwept">): void {
  check(event, "amount", state.toBurn, event.args.amount);
  state.toBurn = 0n;
}
