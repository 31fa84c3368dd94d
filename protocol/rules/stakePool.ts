import { longestRound, type Terms } from "../terms.ts";
import { Role } from "../words.ts";

/**
 * Stake of one operator in one task, wei. `joining` counts from the round after `joinRound`; `leaving` lost its weight but
 * still bears the faults of `leaveRound`; `left` only waits for `unlockAt` (seconds since 1970). `since`: the first round
 * in which the operator's first stake counted. Round numbers are 0 for "none".
 */
export type Account = {
  active: bigint;
  joining: bigint;
  joinRound: number;
  role: Role;
  leaving: bigint;
  left: bigint;
  leaveRound: number;
  unlockAt: number;
  claimable: bigint;
  since: number;
};

export function emptyAccount(): Account {
  return {
    active: 0n,
    joining: 0n,
    joinRound: 0,
    role: Role.Trainer,
    leaving: 0n,
    left: 0n,
    leaveRound: 0,
    unlockAt: 0,
    claimable: 0n,
    since: 0,
  };
}

/** Whether the operator may choose a role anew. */
export function isEmpty({ active, joining, leaving, left }: Account): boolean {
  return active + joining + leaving + left === 0n;
}

/** The account as it counts now: once its round is settled, what joins is active and what leaves has left. */
export function touched(account: Account, openRound: number | undefined): Account {
  const joined = account.joinRound !== 0 && account.joinRound !== openRound;
  const gone = account.leaveRound !== 0 && account.leaveRound !== openRound;
  if (!joined && !gone) return account;
  return {
    ...account,
    ...(joined && { active: account.active + account.joining, joining: 0n, joinRound: 0 }),
    ...(gone && { left: account.left + account.leaving, leaving: 0n, leaveRound: 0 }),
  };
}

/** Own stake that counts in the open round: what was active when it opened, whether or not it asked to leave since. */
export function countsNow({ active, leaving }: Account): bigint {
  return active + leaving;
}

/** Own stake that counts in the round that opens next. */
export function countsNext({ active, joining }: Account): bigint {
  return active + joining;
}

/** Adds a deposit. While a round is open it waits outside: it neither earns nor loses in that round. */
export function deposited(account: Account, role: Role, amount: bigint, openRound: number | undefined): Account {
  const before = touched(account, openRound);
  if (openRound === undefined) return { ...before, role, active: before.active + amount };
  return { ...before, role, joining: before.joining + amount, joinRound: openRound };
}

/**
 * Moves `amount` out: first what is active, which while a round is open stays exposed to that round; then what joins, which
 * was exposed to nothing. One clock for all that leaves; a later request restarts it.
 */
export function exitRequested(
  terms: Terms,
  account: Account,
  amount: bigint,
  openRound: number | undefined,
  now: number,
): Account {
  const before = touched(account, openRound);
  const fromActive = amount < before.active ? amount : before.active;
  const fromJoining = amount - fromActive;
  const exposed = openRound !== undefined && fromActive > 0n;
  const joining = before.joining - fromJoining;
  return {
    ...before,
    active: before.active - fromActive,
    joining,
    joinRound: joining === 0n ? 0 : before.joinRound,
    leaving: before.leaving + (exposed ? fromActive : 0n),
    leaveRound: exposed ? openRound : before.leaveRound,
    left: before.left + amount - (exposed ? fromActive : 0n),
    unlockAt: now + terms.unbonding,
  };
}

/** Whether the open round should have been settled one unbonding period ago: stake is not locked for ever. */
export function escapes(terms: Terms, open: { openedAt: number } | undefined, now: number): boolean {
  return open !== undefined && now >= open.openedAt + longestRound(terms) + terms.unbonding;
}

/** What a withdrawal at `now` pays out, 0 if nothing may go yet. */
export function withdrawable(
  terms: Terms,
  account: Account,
  open: { number: number; openedAt: number } | undefined,
  now: number,
): bigint {
  const current = touched(account, open?.number);
  if (now < current.unlockAt) return 0n;
  return current.left + (escapes(terms, open, now) ? current.leaving : 0n);
}

/** The account after `withdrawable` was paid out. */
export function withdrawn(account: Account, openRound: number | undefined, amount: bigint): Account {
  const current = touched(account, openRound);
  const escaped = amount - current.left;
  const leaving = current.leaving - escaped;
  return { ...current, left: 0n, leaving, leaveRound: leaving === 0n ? 0 : current.leaveRound };
}

/** Bears a fault in the open round: at most what is exposed, from active (ceil) and leaving in proportion. */
export function slashed(
  account: Account,
  fault: bigint,
): { account: Account; fromActive: bigint; fromLeaving: bigint } {
  const exposed = account.active + account.leaving;
  const cut = fault < exposed ? fault : exposed;
  if (cut === 0n) return { account, fromActive: 0n, fromLeaving: 0n };
  const fromActive = (cut * account.active + exposed - 1n) / exposed;
  const fromLeaving = cut - fromActive;
  const next = { ...account, active: account.active - fromActive, leaving: account.leaving - fromLeaving };
  return { account: next, fromActive, fromLeaving };
}
