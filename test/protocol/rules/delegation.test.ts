import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  accepted,
  availableIn,
  type Delegation,
  delegated,
  delegatedClaimed,
  delegatedExit,
  delegatedNext,
  delegatedNow,
  delegatedWithdrawable,
  delegatedWithdrawn,
  emptyDelegation,
  emptyPosition,
  isUndelegated,
  type Parts,
  type Position,
  paidPool,
  slashedPool,
  splitFault,
  touchedPool,
  touchedPosition,
  worthOf,
} from "../../../protocol/rules/delegation.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";

const terms = someTerms({ seatStake: 100n, unbonding: 1_000_000 });
const FACTOR_ONE = 2n ** 79n;

/** One operator's pool and its delegators, with the round that is open. */
class Room {
  pool: Delegation;
  open: number | undefined;
  private readonly positions = new Map<string, Position>();

  constructor(commissionBps = 0) {
    this.pool = accepted(emptyDelegation(), commissionBps);
  }

  of(owner: string): Position {
    this.pool = touchedPool(this.pool, this.open);
    return touchedPosition(this.positions.get(owner) ?? emptyPosition(), this.pool, this.open);
  }

  private parts(owner: string): Parts {
    const position = this.of(owner);
    return { pool: this.pool, position };
  }

  private put(owner: string, { pool, position }: Parts): void {
    this.pool = pool;
    this.positions.set(owner, position);
  }

  available(owner: string): bigint {
    return availableIn(this.parts(owner));
  }

  delegate(owner: string, amount: bigint): void {
    this.put(owner, delegated(this.parts(owner), amount, this.open));
  }

  exit(owner: string, amount: bigint, now = 0): boolean {
    const { isExposed, ...parts } = delegatedExit(terms, this.parts(owner), amount, this.open, now);
    this.put(owner, parts);
    return isExposed;
  }

  withdraw(owner: string, escapes = false, now = 1e9): bigint {
    const parts = this.parts(owner);
    const amount = delegatedWithdrawable(parts, escapes, now);
    if (amount > 0n) this.put(owner, delegatedWithdrawn(parts, escapes));
    return amount;
  }

  claim(owner: string): bigint {
    const parts = this.parts(owner);
    this.put(owner, delegatedClaimed(parts));
    return parts.position.claimable;
  }

  slash(cut: bigint): void {
    this.pool = slashedPool(touchedPool(this.pool, this.open), cut);
  }

  /** Gives what went to the delegators. */
  pay(own: bigint, amount: bigint): bigint {
    const { pool, toDelegators } = paidPool(touchedPool(this.pool, this.open), own, amount);
    this.pool = pool;
    return toDelegators;
  }

  /** Every wei of the delegators in the vault. */
  held(): bigint {
    const { active, joining, left, owed } = this.pool;
    return active + joining + left + owed;
  }

  worth(owner: string): bigint {
    return worthOf(this.of(owner).shares, this.pool.mark.factor);
  }
}

test("what is delegated with no round open counts at once, otherwise from the next round on", () => {
  const room = new Room();
  room.delegate("ann", 300n);
  assert.deepEqual([delegatedNow(room.pool), delegatedNext(room.pool)], [300n, 300n]);
  room.open = 7;
  room.delegate("bob", 200n);
  assert.deepEqual([delegatedNow(room.pool), delegatedNext(room.pool)], [300n, 500n]);
  room.open = undefined;
  assert.equal(room.worth("bob"), 200n);
  assert.deepEqual([room.pool.active, room.pool.joining, room.pool.pendingRound], [500n, 0n, 0]);
});

test("nobody delegates to an operator that did not accept, and an exit of nothing makes nothing", () => {
  assert.equal(emptyDelegation().accepts, false);
  const nothing = { pool: emptyDelegation(), position: emptyPosition() };
  assert.equal(availableIn(nothing), 0n);
  assert.equal(touchedPool(nothing.pool, 3), nothing.pool);
});

test("the commission is free while nothing is delegated, and the pool remembers its price of a share", () => {
  const room = new Room(500);
  assert.equal(room.pool.commissionBps, 500);
  assert.equal(room.pool.mark.factor, FACTOR_ONE);
  room.delegate("ann", 100n);
  assert.equal(isUndelegated(room.pool), false);
  room.slash(50n);
  room.exit("ann", 50n);
  assert.equal(isUndelegated(room.pool), true);
  assert.equal(accepted(room.pool, 900).mark.factor, FACTOR_ONE / 2n);
  room.open = 3;
  room.delegate("ann", 1n);
  assert.equal(isUndelegated(room.pool), false, "what joins is delegated too");
});

test("a fault falls on own and delegated stake in proportion, own rounded up", () => {
  const room = new Room();
  room.delegate("ann", 200n);
  assert.deepEqual(splitFault(10n, 100n, room.pool), { fromOwn: 4n, fromDelegated: 6n });
  assert.deepEqual(splitFault(301n, 100n, room.pool), { fromOwn: 100n, fromDelegated: 200n });
  assert.deepEqual(splitFault(5n, 0n, room.pool), { fromOwn: 0n, fromDelegated: 5n });
  assert.deepEqual(splitFault(5n, 100n, emptyDelegation()), { fromOwn: 5n, fromDelegated: 0n });
  assert.deepEqual(splitFault(5n, 0n, emptyDelegation()), { fromOwn: 0n, fromDelegated: 0n });
});

test("a slash takes from every delegator pro rata", () => {
  const room = new Room();
  room.delegate("ann", 300n);
  room.delegate("bob", 100n);
  room.slash(100n);
  assert.deepEqual([room.worth("ann"), room.worth("bob")], [225n, 75n]);
});

test("what joins while a round is open bears no fault of it and earns nothing in it", () => {
  const room = new Room();
  room.delegate("ann", 100n);
  room.open = 7;
  room.delegate("bob", 100n);
  room.slash(50n);
  assert.equal(room.pay(100n, 90n), 30n, "a third");
  room.open = undefined;
  assert.equal(room.of("bob").claimable, 0n);
  assert.deepEqual([room.worth("ann"), room.worth("bob")], [50n, 100n]);
});

test("what leaves while a round is open bears its faults, earns nothing of it, and bears no later fault", () => {
  const room = new Room();
  room.delegate("ann", 100n);
  room.delegate("bob", 100n);
  room.open = 7;
  assert.equal(room.exit("bob", 100n), true);
  assert.deepEqual([delegatedNow(room.pool), delegatedNext(room.pool)], [200n, 100n]);
  room.slash(100n);
  assert.equal(room.pay(50n, 100n), 50n);
  room.open = 8;
  room.slash(25n);
  room.open = undefined;
  assert.deepEqual([room.of("bob").left, room.of("bob").claimable], [50n, 0n]);
  assert.deepEqual([room.worth("ann"), room.of("ann").claimable], [25n, 50n]);
});

test("an exit takes shares first; what was still joining leaves without being exposed", () => {
  const room = new Room();
  room.delegate("ann", 100n);
  room.open = 7;
  room.delegate("ann", 900n);
  assert.equal(room.available("ann"), 1000n);
  assert.equal(room.exit("ann", 300n), true);
  const { shares, leavingShares, joining, left } = room.of("ann");
  assert.deepEqual([shares, leavingShares, joining, left], [0n, 100n, 700n, 200n]);
  assert.equal(room.exit("ann", 700n), false, "nothing of it was exposed");
  assert.deepEqual([room.of("ann").joining, room.of("ann").left, room.of("ann").pendingRound], [0n, 900n, 7]);
});

test("nothing that joins or leaves names no round", () => {
  const room = new Room();
  room.open = 7;
  room.delegate("ann", 100n);
  room.exit("ann", 100n);
  assert.deepEqual([room.pool.pendingRound, room.of("ann").pendingRound], [0, 0]);
  room.delegate("ann", 100n);
  room.delegate("bob", 5n);
  room.exit("ann", 100n);
  assert.deepEqual([room.pool.pendingRound, room.of("ann").pendingRound], [7, 0]);
});

test("an exit of any amount is exactly that amount, whatever a share is worth", () => {
  const cases = fc.record({
    put: fc.bigInt(1n, 10n ** 24n),
    cut: fc.bigInt(0n, 10n ** 24n),
    ask: fc.bigInt(1n, 10n ** 24n),
  });
  holds(cases, ({ put, cut, ask }) => {
    const room = new Room();
    room.delegate("ann", put);
    room.slash(cut % put);
    if (room.available("ann") === 0n) return;
    const amount = 1n + (ask % room.available("ann"));
    room.exit("ann", amount);
    assert.equal(room.withdraw("ann"), amount);
  });
});

test("a withdrawal waits for the unbonding period and for the settlement, or for the escape", () => {
  const room = new Room();
  room.delegate("ann", 100n);
  room.open = 7;
  room.exit("ann", 60n, 500);
  assert.equal(room.withdraw("ann", true, 1_000_499), 0n);
  assert.equal(room.withdraw("ann", false, 1_000_500), 0n);
  assert.equal(room.withdraw("ann", true, 1_000_500), 60n);
  assert.deepEqual([room.pool.active, room.pool.leavingShares, room.pool.pendingRound], [40n, 0n, 0]);
  assert.equal(room.held(), 40n);
});

test("delegators get their part of a reward by active stake, less the commission", () => {
  const room = new Room(1000);
  room.delegate("ann", 300n);
  room.delegate("bob", 600n);
  assert.equal(room.pay(100n, 1000n), 810n, "nine tenths of 900");
  assert.deepEqual([room.of("ann").claimable, room.of("bob").claimable], [269n, 539n]);
  assert.equal(room.claim("ann"), 269n);
  assert.equal(room.of("ann").claimable, 0n);
  const alone = new Room(10_000);
  alone.delegate("ann", 300n);
  assert.equal(alone.pay(100n, 1000n), 0n);
});

test("an owner that counts several rewards at once gets no wei that nobody gave", () => {
  const room = new Room();
  room.delegate("ann", 6n);
  assert.deepEqual([room.pay(3n, 3n), room.pay(30n, 30n)], [2n, 5n]);
  assert.equal(room.claim("ann"), 6n, "each reward by itself would be rounded down to 1 and 4");
  assert.equal(room.pool.owed, 1n);
});

test("rewards of any number of missed rounds are counted at once", () => {
  const room = new Room();
  room.delegate("ann", 2n ** 30n);
  for (let round = 1; round <= 100; round++) {
    room.open = round;
    room.pay(0n, 2n ** 20n);
    room.open = undefined;
  }
  assert.equal(room.claim("ann"), 100n * 2n ** 20n);
});

test("with nobody to share with the operator gets all of it", () => {
  const room = new Room();
  assert.equal(room.pay(100n, 1000n), 0n);
  room.open = 1;
  room.delegate("ann", 100n);
  assert.equal(room.pay(100n, 1000n), 0n);
  room.open = undefined;
  room.delegate("bob", 1n);
  room.open = 2;
  room.exit("ann", 100n);
  room.exit("bob", 1n);
  assert.equal(room.pay(100n, 1000n), 0n, "all of it is leaving");
});

test("a pool that lost everything takes new delegators, at whom old shares do not gnaw", () => {
  const room = new Room();
  room.delegate("ann", 100n);
  room.pay(0n, 1000n);
  room.open = 7;
  room.delegate("bob", 50n);
  room.exit("ann", 40n);
  room.slash(100n);
  assert.deepEqual([room.pool.active, room.pool.shares, room.pool.leavingShares], [0n, 0n, 0n]);
  assert.deepEqual([room.pool.mark.generation, room.pool.mark.factor], [1, FACTOR_ONE]);
  room.open = undefined;
  room.delegate("cat", 70n);
  room.pay(0n, 120n);
  assert.deepEqual([room.worth("ann"), room.of("ann").left], [0n, 0n]);
  assert.deepEqual([room.worth("bob"), room.worth("cat")], [50n, 70n]);
  const claims = ["ann", "bob", "cat"].map((owner) => room.claim(owner));
  for (const [i, due] of [1000n, 50n, 70n].entries()) assert.ok(claims[i] === due || claims[i] === due - 1n);
});

test("shares that are worth next to nothing are counted anew, and keep what they are worth and have earned", () => {
  const room = new Room();
  const whole = 2n ** 24n;
  room.delegate("ann", whole);
  room.open = 1;
  room.exit("ann", whole / 2n);
  room.slash(whole - 2n ** 8n);
  assert.equal(room.pool.mark.generation, 0, "a factor of 2^63 is the last that counts");
  room.slash(2n ** 7n);
  assert.deepEqual([room.pool.mark.generation, room.pool.mark.factor], [1, FACTOR_ONE]);
  assert.deepEqual([room.pool.shares, room.pool.leavingShares, room.pool.active], [64n, 64n, 128n]);
  room.pay(0n, 640n);
  room.open = undefined;
  assert.deepEqual([room.worth("ann"), room.of("ann").left, room.of("ann").claimable], [64n, 64n, 640n]);
});

test("a position that slept through several generations catches up in one step", () => {
  const room = new Room();
  room.delegate("ann", 2n ** 80n);
  room.delegate("bob", 2n ** 10n);
  for (let generation = 1; generation <= 2; generation++) {
    room.pay(0n, 2n ** 60n);
    const { active } = room.pool;
    room.slash(active - (active >> 33n));
    assert.equal(room.pool.mark.generation, generation);
  }
  const ann = room.of("ann");
  assert.equal(ann.generation, 2);
  assert.ok(ann.shares === 2n ** 14n || ann.shares === 2n ** 14n - 1n);
  assert.ok(ann.claimable > 2n ** 61n - 2n ** 34n && ann.claimable <= 2n ** 61n);
  assert.deepEqual([room.of("bob").generation, room.of("bob").shares], [2, 0n]);
});

test("an index at its end stays there, and the operator keeps the reward", () => {
  const room = new Room();
  room.delegate("ann", 1n);
  room.pool = { ...room.pool, mark: { ...room.pool.mark, index: 2n ** 144n - 1n - (5n << 48n) } };
  assert.equal(room.pay(0n, 6n), 0n);
  assert.equal(room.pay(0n, 5n), 5n);
});

test("nobody gains or loses by delegating or leaving around a settlement", () => {
  const amounts = fc.record({
    a: fc.bigInt(1n, 10n ** 20n),
    b: fc.bigInt(1n, 10n ** 20n),
    cut: fc.bigInt(0n, 10n ** 20n),
  });
  holds(amounts, ({ a, b, cut }) => {
    const room = new Room();
    room.delegate("ann", a);
    room.open = 1;
    room.delegate("eve", b);
    room.slash(cut % a);
    room.pay(0n, 10n ** 18n);
    room.open = undefined;
    assert.ok(room.worth("eve") <= b && room.worth("eve") + 1n >= b, "she has what she put in, neither more nor less");
    assert.equal(room.of("eve").claimable, 0n);
  });
});

test("whatever happens in whatever order, delegators never own more than their pool holds", () => {
  const act = fc.record({
    kind: fc.constantFrom("delegate", "exit", "withdraw", "claim", "slash", "wipe", "pay", "open", "settle"),
    owner: fc.constantFrom("ann", "bob", "cat"),
    amount: fc.bigInt(1n, 10n ** 21n),
    small: fc.boolean(),
  });
  holds(
    fc.array(act, { maxLength: 80 }),
    (acts) => {
      const room = new Room(700);
      let [put, out, rounds] = [0n, 0n, 0];
      for (const { kind, owner, amount, small } of acts) {
        const value = small ? 1n + (amount % 7n) : amount;
        if (kind === "delegate") {
          room.delegate(owner, value);
          put += value;
        } else if (kind === "exit") {
          const most = room.available(owner);
          if (most > 0n) room.exit(owner, value < most ? value : most);
        } else if (kind === "withdraw") out += room.withdraw(owner, small);
        else if (kind === "claim") out += room.claim(owner);
        else if (kind === "open") room.open ??= ++rounds;
        else if (kind === "settle") room.open = undefined;
        else if (kind === "pay") put += room.pay(value, amount);
        else {
          const { active } = touchedPool(room.pool, room.open);
          const most = kind === "wipe" ? active - (active >> BigInt(20 + rounds)) : active;
          const cut = kind === "wipe" || value > most ? most : value;
          room.slash(cut);
          out += cut;
        }
        const positions = ["ann", "bob", "cat"].map((each) => room.of(each));
        const sum = (of: (position: Position) => bigint) => positions.reduce((total, each) => total + of(each), 0n);
        const { pool } = room;
        assert.equal(room.held(), put - out, "every wei is somewhere");
        assert.ok((pool.shares + pool.leavingShares) * pool.mark.factor <= pool.active << 79n);
        assert.equal(
          sum(({ shares }) => shares),
          pool.shares,
        );
        assert.equal(
          sum(({ leavingShares }) => leavingShares),
          pool.leavingShares,
        );
        assert.equal(
          sum(({ joining }) => joining),
          pool.joining,
        );
        assert.ok(sum(({ left }) => left) <= pool.left);
        assert.ok(sum(({ claimable }) => claimable) <= pool.owed);
        assert.ok(pool.active >= 0n && pool.joining >= 0n && pool.left >= 0n && pool.owed >= 0n);
      }
    },
    500,
  );
});
