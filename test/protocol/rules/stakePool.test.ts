import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { emptyDelegation } from "../../../protocol/rules/delegation.ts";
import {
  type Account,
  deposited,
  emptyAccount,
  exitRequested,
  isEmpty,
  slashed,
  touched,
  withdrawable,
  withdrawn,
} from "../../../protocol/rules/stakePool.ts";
import * as weights from "../../../protocol/rules/weights.ts";
import { longestRound } from "../../../protocol/terms.ts";
import { Role } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";

const terms = someTerms({ seatStake: 100n, unbonding: 1_000_000 });
const { Validator } = Role;
const openWeight = (of: typeof terms, account: Account) => weights.openWeight(of, account, emptyDelegation());
const nextWeight = (of: typeof terms, account: Account) => weights.nextWeight(of, account, emptyDelegation());
const staked = (amount: bigint) => deposited(emptyAccount(), Validator, amount, undefined);
const exit = (account: Account, amount: bigint, round: number | undefined, now = 0) =>
  exitRequested(terms, account, amount, round, now);

test("a deposit with no round open counts at once", () => {
  const account = staked(500n);
  assert.equal(account.active, 500n);
  assert.equal(account.role, Validator);
  assert.equal(nextWeight(terms, account), 500n);
});

test("a deposit while a round is open neither counts nor is slashed in it", () => {
  const account = deposited(staked(100n), Validator, 900n, 7);
  assert.equal(openWeight(terms, account), 100n);
  assert.equal(nextWeight(terms, account), 1000n);
  assert.deepEqual(slashed(account, 5000n), {
    account: { ...account, active: 0n },
    fromActive: 100n,
    fromLeaving: 0n,
  });
  assert.equal(touched(account, 7), account);
  assert.deepEqual(touched(account, undefined), { ...account, active: 1000n, joining: 0n, joinRound: 0 });
  assert.equal(touched(account, 8).active, 1000n);
});

test("a stake below that of a seat has no weight", () => {
  assert.equal(nextWeight(terms, staked(99n)), 0n);
  assert.equal(nextWeight(terms, staked(100n)), 100n);
});

test("an exit while a round is open keeps its weight in that round and bears its faults", () => {
  const account = exit(staked(300n), 200n, 7);
  assert.equal(openWeight(terms, account), 300n);
  assert.equal(nextWeight(terms, account), 100n);
  const { account: after, fromActive, fromLeaving } = slashed(account, 31n);
  assert.deepEqual([fromActive, fromLeaving], [11n, 20n]); // a third of it from active, rounded up
  assert.deepEqual([after.active, after.leaving], [89n, 180n]);
});

test("an exit with no round open bears no fault ever", () => {
  const account = exit(staked(300n), 200n, undefined);
  assert.deepEqual([account.leaving, account.left], [0n, 200n]);
  assert.equal(openWeight(terms, account), 100n);
  assert.equal(slashed(account, 5000n).fromActive, 100n);
});

test("an exit takes what is active first; what was still joining leaves without being exposed", () => {
  const account = exit(deposited(staked(100n), Validator, 900n, 7), 300n, 7);
  assert.deepEqual([account.active, account.leaving, account.joining, account.left], [0n, 100n, 700n, 200n]);
  const rest = exit(account, 700n, 7);
  assert.deepEqual([rest.joining, rest.joinRound, rest.left, rest.leaving], [0n, 0, 900n, 100n]);
});

test("a withdrawal waits for the unbonding period, which a later request restarts", () => {
  const first = exit(staked(300n), 100n, undefined, 50);
  assert.equal(withdrawable(terms, first, undefined, 1_000_049), 0n);
  assert.equal(withdrawable(terms, first, undefined, 1_000_050), 100n);
  const second = exit(first, 100n, undefined, 900);
  assert.equal(withdrawable(terms, second, undefined, 1_000_050), 0n);
  assert.equal(withdrawable(terms, second, undefined, 1_000_900), 200n);
});

test("a withdrawal waits until the round is settled in which the exit was asked", () => {
  const account = exit(staked(300n), 300n, 7, 0);
  const open = { number: 7, openedAt: 0 };
  assert.equal(withdrawable(terms, account, open, 1_000_000), 0n);
  assert.equal(withdrawable(terms, account, { number: 8, openedAt: 0 }, 1_000_000), 300n);
});

test("if nobody ever settles, stake is free one unbonding period after the last deadline", () => {
  const account = exit(staked(300n), 200n, 7, 0);
  const open = { number: 7, openedAt: 500 };
  const free = 500 + longestRound(terms) + 1_000_000;
  assert.equal(withdrawable(terms, account, open, free - 1), 0n);
  assert.equal(withdrawable(terms, account, open, free), 200n);
  const after = withdrawn(account, 7, 200n);
  assert.deepEqual([after.active, after.leaving, after.leaveRound, after.left], [100n, 0n, 0, 0n]);
});

test("nobody knows an operator that never staked", () => {
  const nothing = { active: 0n, joining: 0n, leaving: 0n, left: 0n, claimable: 0n };
  const never = { joinRound: 0, leaveRound: 0, unlockAt: 0, since: 0 };
  assert.deepEqual(emptyAccount(), { role: Role.Trainer, ...nothing, ...never });
});

test("a single wei joins, is exposed, and leaves like any other amount", () => {
  const joining = deposited(emptyAccount(), Validator, 1n, 7);
  assert.deepEqual([touched(joining, 8).active, touched(joining, 8).joining], [1n, 0n]);
  const leaving = exit(staked(5n), 1n, 7);
  assert.deepEqual([leaving.leaving, leaving.leaveRound, leaving.left], [1n, 7, 0n]);
  const { left, leaveRound, leaving: rest } = touched(leaving, undefined);
  assert.deepEqual([left, leaveRound, rest], [1n, 0, 0n]);
  // A third of one wei is rounded up for what is active.
  assert.deepEqual([slashed(exit(staked(3n), 2n, 7), 1n).fromActive], [1n]);
});

test("an account names no round in which nothing joins or leaves any more", () => {
  const { joining, joinRound } = exit(deposited(staked(100n), Validator, 900n, 7), 1000n, 7);
  assert.deepEqual([joining, joinRound], [0n, 0]);
  const ruined = slashed(exit(staked(100n), 100n, 7), 500n).account;
  assert.deepEqual([ruined.leaving, ruined.leaveRound], [0n, 7], "it was leaving round 7 until that is settled");
  assert.equal(touched(ruined, undefined).leaveRound, 0);
});

test("an account is empty, and its role free, once nothing of the stake is left in it", () => {
  const account = exit(staked(300n), 300n, undefined, 0);
  assert.equal(isEmpty(account), false);
  assert.equal(isEmpty(withdrawn(account, undefined, 300n)), true);
  assert.equal(isEmpty({ ...emptyAccount(), claimable: 5n }), true);
  for (const part of ["active", "joining", "leaving", "left"]) {
    assert.equal(isEmpty({ ...emptyAccount(), [part]: 1n }), false, part);
  }
});

test("a fault takes at most what is exposed", () => {
  assert.deepEqual(slashed(emptyAccount(), 10n), { account: emptyAccount(), fromActive: 0n, fromLeaving: 0n });
  const gone = slashed(exit(staked(300n), 200n, 7), 301n);
  assert.deepEqual([gone.fromActive, gone.fromLeaving], [100n, 200n]);
});

test("whatever happens in whatever order, no wei appears or disappears and none goes below zero", () => {
  const amount = fc.bigInt(1n, 1000n);
  const act = fc.oneof(
    fc.record({ kind: fc.constant("deposit" as const), amount }),
    fc.record({ kind: fc.constant("exit" as const), amount }),
    fc.record({ kind: fc.constant("fault" as const), amount }),
    fc.record({
      kind: fc.constantFrom("open" as const, "settle" as const, "withdraw" as const, "wait" as const),
      amount,
    }),
  );
  holds(fc.array(act, { maxLength: 60 }), (acts) => {
    let account = emptyAccount();
    let open: { number: number; openedAt: number } | undefined;
    let rounds = 0;
    let now = 0;
    let put = 0n;
    let out = 0n;
    for (const { kind, amount } of acts) {
      const before = [openWeight(terms, touched(account, open?.number)), nextWeight(terms, account)];
      if (kind === "deposit") {
        account = deposited(account, Validator, amount, open?.number);
        put += amount;
        if (open) assert.equal(openWeight(terms, account), before[0], "a deposit has no weight in the open round");
      } else if (kind === "exit") {
        const { active, joining } = touched(account, open?.number);
        const most = active + joining;
        if (most === 0n) continue;
        account = exit(account, amount < most ? amount : most, open?.number, now);
        if (open) assert.equal(openWeight(terms, account), before[0], "an exit keeps its weight in the open round");
      } else if (kind === "fault" && open) {
        const exposed = touched(account, open.number);
        const { account: after, fromActive, fromLeaving } = slashed(exposed, amount);
        assert.ok(fromActive <= exposed.active && fromLeaving <= exposed.leaving);
        account = after;
        out += fromActive + fromLeaving;
      } else if (kind === "open") open ??= { number: ++rounds, openedAt: now };
      else if (kind === "settle") open = undefined;
      else if (kind === "wait") now += Number(amount) * 1500;
      else if (kind === "withdraw") {
        const free = withdrawable(terms, account, open, now);
        if (free === 0n) continue;
        account = withdrawn(account, open?.number, free);
        out += free;
      }
      const { active, joining, leaving, left } = account;
      assert.ok([active, joining, leaving, left].every((part) => part >= 0n));
      assert.equal(active + joining + leaving + left, put - out);
    }
  });
});
