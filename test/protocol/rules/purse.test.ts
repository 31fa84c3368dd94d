import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { closing, emptyPurse, funded, isIdle, type Purse, roundPot, settled } from "../../../protocol/rules/purse.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";

const terms = someTerms({ rounds: 3 });
const NOW = 1000;
const fund = (purse: Purse, amount: bigint, refundable: boolean, roundIsOpen = false) =>
  funded(purse, { amount, refundable }, roundIsOpen, NOW);
const settle = (purse: Purse, paid: bigint, returned: bigint) => settled(purse, paid, returned, NOW);

test("the pot of a round is an even share of what is left", () => {
  const purse = fund(emptyPurse(), 1000n, true);
  assert.equal(roundPot(purse, terms, 0), 333n);
  assert.equal(roundPot(settle(purse, 300n, 0n), terms, 1), 350n);
  assert.equal(roundPot(purse, terms, 3), 0n);
});

test("what comes while a round is open joins the pot when it is settled", () => {
  const before = fund(emptyPurse(), 900n, true);
  const during = fund(before, 600n, false, true);
  assert.equal(roundPot(during, terms, 0), 300n);
  assert.deepEqual(settle(during, 300n, 90n), {
    pot: 1290n,
    incoming: 0n,
    deposited: 900n,
    paid: 300n,
    idleSince: NOW,
  });
});

test("the creator gets back what it deposited and was not paid out, not what others were slashed", () => {
  const funds = fund(emptyPurse(), 900n, true);
  assert.deepEqual(closing(settle(funds, 300n, 5000n)), { refund: 600n, burned: 5000n });
  assert.deepEqual(closing(fund(emptyPurse(), 900n, false)), { refund: 0n, burned: 900n });
  // 900 of the creator and 900 of a sponsor, 1000 paid out: nothing of its own is left to the creator.
  assert.deepEqual(closing(settle(fund(funds, 900n, false), 1000n, 0n)), { refund: 0n, burned: 800n });
});

test("a void round pays nothing and leaves its share to the rounds to come", () => {
  const purse = fund(emptyPurse(), 900n, true);
  assert.equal(roundPot(settle(purse, 0n, 9n), terms, 0), 303n);
});

test("what was ever paid stays within its ledger, though a token may be paid many times", () => {
  const most = 2n ** 96n - 1n;
  const purse = { ...emptyPurse(), pot: 10n, paid: most - 4n };
  assert.equal(settle(purse, 4n, 0n).paid, most);
  assert.equal(settle(purse, 5n, 0n).paid, most);
});

test("refund and burn are everything that is left", () => {
  const wei = fc.bigInt(0n, 10n ** 24n);
  holds(fc.record({ pot: wei, incoming: wei, deposited: wei, paid: wei }), (purse) => {
    const { refund, burned } = closing({ ...purse, idleSince: 0 });
    assert.equal(refund + burned, purse.pot + purse.incoming);
    assert.ok(refund <= purse.deposited && burned >= 0n);
  });
});

test("a task is idle when no round was settled for long enough since it first had money", () => {
  const { idleAfter } = terms;
  const first = funded(emptyPurse(), { amount: 5n, refundable: true }, false, 1000);
  const again = funded(first, { amount: 5n, refundable: true }, false, 5000);
  const after = settled(again, 0n, 0n, 9000);
  assert.equal(isIdle(emptyPurse(), terms, 2 ** 40), false, "a task that never had money");
  for (const [purse, since] of [
    [first, 1000],
    [again, 1000],
    [after, 9000],
  ] as const) {
    assert.equal(isIdle(purse, terms, since + idleAfter - 1), false);
    assert.equal(isIdle(purse, terms, since + idleAfter), true);
  }
});
