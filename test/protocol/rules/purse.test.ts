import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { closing, emptyPurse, funded, roundPot, settled } from "../../../protocol/rules/purse.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";

const terms = someTerms({ rounds: 3 });

test("the pot of a round is an even share of what is left", () => {
  const purse = funded(emptyPurse(), 1000n, true, false);
  assert.equal(roundPot(purse, terms, 0), 333n);
  assert.equal(roundPot(settled(purse, 300n, 0n), terms, 1), 350n);
  assert.equal(roundPot(purse, terms, 3), 0n);
});

test("what comes while a round is open joins the pot when it is settled", () => {
  const before = funded(emptyPurse(), 900n, true, false);
  const during = funded(before, 600n, false, true);
  assert.equal(roundPot(during, terms, 0), 300n);
  assert.deepEqual(settled(during, 300n, 90n), {
    pot: 1290n,
    incoming: 0n,
    deposited: 900n,
    paid: 300n,
    closableAt: 0,
  });
});

test("the creator gets back what it deposited and was not paid out, not what others were slashed", () => {
  const funds = funded(emptyPurse(), 900n, true, false);
  assert.deepEqual(closing(settled(funds, 300n, 5000n)), { refund: 600n, burned: 5000n });
  assert.deepEqual(closing(funded(emptyPurse(), 900n, false, false)), { refund: 0n, burned: 900n });
  // 900 of the creator and 900 of a sponsor, 1000 paid out: nothing of its own is left to the creator.
  assert.deepEqual(closing(settled(funded(funds, 900n, false, false), 1000n, 0n)), { refund: 0n, burned: 800n });
});

test("a void round pays nothing and leaves its share to the rounds to come", () => {
  const purse = funded(emptyPurse(), 900n, true, false);
  assert.equal(roundPot(settled(purse, 0n, 9n), terms, 0), 303n);
});

test("what was ever paid stays within its ledger, though a token may be paid many times", () => {
  const most = 2n ** 96n - 1n;
  const purse = { ...emptyPurse(), pot: 10n, paid: most - 4n };
  assert.equal(settled(purse, 4n, 0n).paid, most);
  assert.equal(settled(purse, 5n, 0n).paid, most);
});

test("refund and burn are everything that is left", () => {
  const wei = fc.bigInt(0n, 10n ** 24n);
  holds(fc.record({ pot: wei, incoming: wei, deposited: wei, paid: wei }), (purse) => {
    const { refund, burned } = closing({ ...purse, closableAt: 0 });
    assert.equal(refund + burned, purse.pot + purse.incoming);
    assert.ok(refund <= purse.deposited && burned >= 0n);
  });
});
