import type { Terms } from "../terms.ts";
import { BPS } from "../words.ts";

/** Value of a share at the start: 2^79 is one wei. Below 2^63 the pool counts anew, in shares of one wei. */
const FACTOR_ONE = 2n ** 79n;
const FACTOR_MIN = 2n ** 63n;
/** Rewards per share are counted in 2^-48 wei, up to here. */
const MAX_INDEX = 2n ** 144n - 1n;

/**
 * Where a pool stands. `factor`: value of a share. `index`: rewards per share since ever. `generation`: how often the pool
 * counted anew, because a share was worth next to nothing.
 */
export type Mark = { factor: bigint; index: bigint; generation: number };

/**
 * What others delegated to one operator in one task, wei and shares. `joining` counts from the round after `pendingRound`;
 * `leavingShares` still bear the faults of `pendingRound` and earn nothing of it, and are part of `active` until it is
 * settled. Round numbers are 0 for "none".
 */
export type Pool = {
  active: bigint;
  joining: bigint;
  pendingRound: number;
  commissionBps: number;
  accepts: boolean;
  shares: bigint;
  leavingShares: bigint;
  mark: Mark;
};

/**
 * A pool with all that its positions need. `marks`: where it stood after a round in which something was joining or leaving.
 * `ends`: where each generation but this ended. `left` and `owed`, which no contract keeps: wei that left the pool or
 * was credited to delegators and is still in the vault, with what roundings left over.
 */
export type Delegation = Pool & {
  marks: ReadonlyMap<number, Mark>;
  ends: ReadonlyMap<number, Mark>;
  left: bigint;
  owed: bigint;
};

/** What one delegator has with one operator in one task; `index` and `generation`: up to where rewards are counted. */
export type Position = {
  joining: bigint;
  pendingRound: number;
  generation: number;
  left: bigint;
  shares: bigint;
  leavingShares: bigint;
  index: bigint;
  claimable: bigint;
  unlockAt: number;
};

export function emptyDelegation(): Delegation {
  return {
    active: 0n,
    joining: 0n,
    pendingRound: 0,
    commissionBps: 0,
    accepts: false,
    shares: 0n,
    leavingShares: 0n,
    mark: { factor: 0n, index: 0n, generation: 0 },
    marks: new Map(),
    ends: new Map(),
    left: 0n,
    owed: 0n,
  };
}

export function emptyPosition(): Position {
  return {
    joining: 0n,
    pendingRound: 0,
    generation: 0,
    left: 0n,
    shares: 0n,
    leavingShares: 0n,
    index: 0n,
    claimable: 0n,
    unlockAt: 0,
  };
}

/** Wei that shares are worth, floor. */
export function worthOf(shares: bigint, factor: bigint): bigint {
  return (shares * factor) >> 79n;
}

/** Shares for wei, floor; none in a pool that never accepted any. */
function sharesFor(amount: bigint, factor: bigint): bigint {
  return factor === 0n ? 0n : (amount << 79n) / factor;
}

/** Delegated stake that counts in the open round, whether or not it asked to leave since. */
export function delegatedNow({ active }: Delegation): bigint {
  return active;
}

/** Delegated stake that counts in the round that opens next. */
export function delegatedNext({ active, joining, leavingShares, mark }: Delegation): bigint {
  return active - worthOf(leavingShares, mark.factor) + joining;
}

/**
 * Whether nobody has anything in a pool: only then may the operator change its commission, or its role. What roundings left
 * in `active` is nobody's.
 */
export function isUndelegated({ shares, leavingShares, joining }: Delegation): boolean {
  return shares + leavingShares + joining === 0n;
}

/** The pool as it counts now: once its round is settled, what joins has shares and what leaves has left. */
export function touchedPool(pool: Delegation, openRound: number | undefined): Delegation {
  const { pendingRound, mark } = pool;
  if (pendingRound === 0 || pendingRound === openRound) return pool;
  const gone = worthOf(pool.leavingShares, mark.factor);
  return {
    ...pool,
    active: pool.active - gone + pool.joining,
    joining: 0n,
    pendingRound: 0,
    shares: pool.shares + sharesFor(pool.joining, mark.factor),
    leavingShares: 0n,
    marks: new Map(pool.marks).set(pendingRound, mark),
    left: pool.left + gone,
  };
}

/** Counts what shares earned up to an index. */
function earned(position: Position, index: bigint): Position {
  const claimable = position.claimable + ((position.shares * (index - position.index)) >> 48n);
  return { ...position, claimable, index };
}

/** Counts the rewards of a position up to a mark, and its shares anew at every end of a generation before it. */
function accrued(position: Position, mark: Mark, ends: ReadonlyMap<number, Mark>): Position {
  let current = position;
  while (current.generation !== mark.generation && current.shares + current.leavingShares > 0n) {
    const end = ends.get(current.generation)!;
    const { shares, leavingShares, generation } = current;
    current = {
      ...earned(current, end.index),
      shares: worthOf(shares, end.factor),
      leavingShares: worthOf(leavingShares, end.factor),
      generation: generation + 1,
    };
  }
  return { ...earned(current, mark.index), generation: mark.generation };
}

/** A position as it counts now, in a touched pool. */
export function touchedPosition(position: Position, pool: Delegation, openRound: number | undefined): Position {
  const { pendingRound } = position;
  if (pendingRound === 0 || pendingRound === openRound) return accrued(position, pool.mark, pool.ends);
  const mark = pool.marks.get(pendingRound) ?? pool.mark;
  const then = accrued(position, mark, pool.ends);
  const converted = {
    ...then,
    joining: 0n,
    pendingRound: 0,
    left: then.left + worthOf(then.leavingShares, mark.factor),
    shares: then.shares + sharesFor(then.joining, mark.factor),
    leavingShares: 0n,
  };
  return accrued(converted, pool.mark, pool.ends);
}

/** Opens a pool in which nothing is delegated. */
export function accepted(pool: Delegation, commissionBps: number): Delegation {
  const factor = pool.mark.factor === 0n ? FACTOR_ONE : pool.mark.factor;
  return { ...pool, accepts: true, commissionBps, mark: { ...pool.mark, factor } };
}

/** A touched pool and one of its positions. */
export type Parts = { pool: Delegation; position: Position };

/** Adds a deposit. While a round is open it waits outside: it neither earns nor loses in that round. */
export function delegated({ pool, position }: Parts, amount: bigint, openRound: number | undefined): Parts {
  if (openRound !== undefined) {
    const pending = (joining: bigint) => ({ joining: joining + amount, pendingRound: openRound });
    return { pool: { ...pool, ...pending(pool.joining) }, position: { ...position, ...pending(position.joining) } };
  }
  const shares = sharesFor(amount, pool.mark.factor);
  return {
    pool: { ...pool, active: pool.active + amount, shares: pool.shares + shares },
    position: { ...position, shares: position.shares + shares },
  };
}

/** What a delegator may ask to leave with. */
export function availableIn({ pool, position }: Parts): bigint {
  return worthOf(position.shares, pool.mark.factor) + position.joining;
}

/**
 * Moves `amount` out: first shares, which while a round is open stay exposed to that round; then what joins, which was
 * exposed to nothing.
 */
export function delegatedExit(
  terms: Terms,
  { pool, position }: Parts,
  amount: bigint,
  openRound: number | undefined,
  now: number,
): Parts & { isExposed: boolean } {
  const { factor } = pool.mark;
  const worth = worthOf(position.shares, factor);
  const shares = amount >= worth ? position.shares : ((amount << 79n) + factor - 1n) / factor;
  const fromJoining = amount > worth ? amount - worth : 0n;
  const isExposed = openRound !== undefined && shares > 0n;
  const out = isExposed ? 0n : worthOf(shares, factor);
  const moved = (part: Pool | Position) => {
    const joining = part.joining - fromJoining;
    const leavingShares = part.leavingShares + (isExposed ? shares : 0n);
    const pendingRound = isExposed ? openRound : joining === 0n && leavingShares === 0n ? 0 : part.pendingRound;
    return { joining, shares: part.shares - shares, leavingShares, pendingRound };
  };
  return {
    pool: { ...pool, ...moved(pool), active: pool.active - out, left: pool.left + out + fromJoining },
    position: {
      ...position,
      ...moved(position),
      left: position.left + out + fromJoining,
      unlockAt: now + terms.unbonding,
    },
    isExposed,
  };
}

/** What a withdrawal at `now` pays out, 0 if nothing may go yet; `escapes`: the open round should long be settled. */
export function delegatedWithdrawable({ pool, position }: Parts, escapes: boolean, now: number): bigint {
  if (now < position.unlockAt) return 0n;
  return position.left + (escapes ? worthOf(position.leavingShares, pool.mark.factor) : 0n);
}

/** Both after `delegatedWithdrawable` was paid out. */
export function delegatedWithdrawn({ pool, position }: Parts, escapes: boolean): Parts {
  const gone = escapes ? position.leavingShares : 0n;
  const moved = (part: Pool | Position) => {
    const leavingShares = part.leavingShares - gone;
    return { leavingShares, pendingRound: leavingShares === 0n && part.joining === 0n ? 0 : part.pendingRound };
  };
  return {
    pool: {
      ...pool,
      ...moved(pool),
      active: pool.active - worthOf(gone, pool.mark.factor),
      left: pool.left - position.left,
    },
    position: { ...position, ...moved(position), left: 0n },
  };
}

/** Both after all rewards were paid out. */
export function delegatedClaimed({ pool, position }: Parts): Parts {
  return { pool: { ...pool, owed: pool.owed - position.claimable }, position: { ...position, claimable: 0n } };
}

/** What of a fault falls on own stake (ceil) and on delegated stake: in proportion, at most what is exposed. */
export function splitFault(fault: bigint, own: bigint, pool: Delegation): { fromOwn: bigint; fromDelegated: bigint } {
  const exposed = own + pool.active;
  const cut = fault < exposed ? fault : exposed;
  if (cut === 0n) return { fromOwn: 0n, fromDelegated: 0n };
  const fromOwn = (cut * own + exposed - 1n) / exposed;
  return { fromOwn, fromDelegated: cut - fromOwn };
}

/** Takes `cut`, at most what is active, from every share alike. */
export function slashedPool(pool: Delegation, cut: bigint): Delegation {
  if (cut === 0n) return pool;
  const { index, generation, factor: before } = pool.mark;
  const active = pool.active - cut;
  const factor = (before * active) / pool.active;
  const mark = { factor, index, generation };
  if (factor >= FACTOR_MIN) return { ...pool, active, mark };
  return {
    ...pool,
    active,
    shares: worthOf(pool.shares, factor),
    leavingShares: worthOf(pool.leavingShares, factor),
    mark: { factor: FACTOR_ONE, index, generation: generation + 1 },
    ends: new Map(pool.ends).set(generation, mark),
  };
}

/** The delegators' part of a reward: by active stake beside what the round counts of the operator's `own`, less its commission, per share. */
export function paidPool(pool: Delegation, own: bigint, pay: bigint): { pool: Delegation; toDelegators: bigint } {
  const { mark, shares, commissionBps } = pool;
  const earning = pool.active - worthOf(pool.leavingShares, mark.factor);
  if (shares === 0n || earning === 0n) return { pool, toDelegators: 0n };
  const gross = (pay * earning) / (own + earning);
  const net = (gross * BigInt(BPS - commissionBps)) / BigInt(BPS);
  const perShare = (net << 48n) / shares;
  if (perShare > MAX_INDEX - mark.index) return { pool, toDelegators: 0n };
  // Rounded up: owners that count several rewards at once round down once, not once a reward.
  const toDelegators = (perShare * shares + 2n ** 48n - 1n) >> 48n;
  const next = { ...pool, mark: { ...mark, index: mark.index + perShare }, owed: pool.owed + toDelegators };
  return { pool: next, toDelegators };
}
