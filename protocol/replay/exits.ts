import {
  availableIn,
  delegatedClaimed,
  delegatedExit,
  delegatedWithdrawable,
  delegatedWithdrawn,
} from "../rules/delegation.ts";
import { escapes, exitRequested, touched, withdrawable, withdrawn } from "../rules/stakePool.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent } from "./events.ts";
import { partsOf, putParts, putStake } from "./stakes.ts";
import { accountOf, openNumber, type State } from "./state.ts";
import { taskOf } from "./tasks.ts";

export function exitAsked(state: State, event: FlockEvent<"ExitRequested">): void {
  const task = taskOf(state, event);
  const { operator, owner, amount, exposedTo, unlockAt } = event.args;
  const open = openNumber(task);
  demand(event, amount > 0n, "an exit above zero", amount);
  check(event, "unlockAt", event.blockTimestamp + task.terms.unbonding, unlockAt);
  if (owner !== operator) {
    const parts = partsOf(task, operator, owner);
    demand(event, amount <= availableIn(parts), "at most what is delegated", amount);
    const { isExposed, ...next } = delegatedExit(task.terms, parts, amount, open, event.blockTimestamp);
    check(event, "exposedTo", isExposed ? open : 0, exposedTo);
    putParts(task, operator, owner, next);
    return;
  }
  const account = touched(accountOf(task, operator), open);
  demand(event, amount <= account.active + account.joining, "at most what is staked", amount);
  const next = exitRequested(task.terms, account, amount, open, event.blockTimestamp);
  check(event, "exposedTo", next.leaving > account.leaving ? next.leaveRound : 0, exposedTo);
  putStake(task, operator, { account: next });
}

export function withdrew(state: State, event: FlockEvent<"Withdrawn">): void {
  const task = taskOf(state, event);
  const { operator, owner, amount } = event.args;
  const open = task.round?.open ? task.round : undefined;
  demand(event, amount > 0n, "a withdrawal above zero", amount);
  if (owner !== operator) {
    const parts = partsOf(task, operator, owner);
    const escaped = escapes(task.terms, open, event.blockTimestamp);
    check(event, "amount", delegatedWithdrawable(parts, escaped, event.blockTimestamp), amount);
    putParts(task, operator, owner, delegatedWithdrawn(parts, escaped));
    return;
  }
  const account = accountOf(task, operator);
  check(event, "amount", withdrawable(task.terms, account, open, event.blockTimestamp), amount);
  putStake(task, operator, { account: withdrawn(account, open?.number, amount) });
}

export function claimed(state: State, event: FlockEvent<"Claimed">): void {
  const task = taskOf(state, event);
  const { operator, owner, amount } = event.args;
  demand(event, amount > 0n, "a claim above zero", amount);
  if (owner !== operator) {
    const parts = partsOf(task, operator, owner);
    check(event, "amount", parts.position.claimable, amount);
    putParts(task, operator, owner, delegatedClaimed(parts));
    return;
  }
  const account = accountOf(task, operator);
  check(event, "amount", account.claimable, amount);
  task.accounts.set(operator, { ...account, claimable: 0n });
}
