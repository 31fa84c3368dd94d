import assert from "node:assert/strict";
import { test } from "node:test";
import { seatRisks, voteErrorRates } from "../../protocol/committee.ts";
import { FLK, someTerms } from "../support/terms.ts";

const terms = someTerms();

function between(value: number, low: number, high: number): void {
  assert.ok(value >= low && value <= high, `${value} is not from ${low} to ${high}`);
}

test("36 seats at 60 % accept poison in about 0.01 % of rounds at 30 % malicious stake, and block good work in about 8 %", () => {
  const { seats, poisonAccepted, honestBlocked } = voteErrorRates(terms, { malicious: 0.3 });
  assert.equal(seats, 36);
  between(poisonAccepted, 0.00009, 0.00012);
  between(honestBlocked, 0.08, 0.1);
});

test("at a third it is 0.05 % and 17 %, a little above for the seats' independence", () => {
  const { poisonAccepted, honestBlocked } = voteErrorRates(terms, { malicious: 1 / 3 });
  between(poisonAccepted, 0.0005, 0.0007);
  between(honestBlocked, 0.17, 0.2);
});

test("neutral and wrong votes of honest voters cost safety and pay", () => {
  const { poisonAccepted, honestBlocked } = voteErrorRates(terms, { malicious: 0.3, neutral: 0.1, wrong: 0.02 });
  between(poisonAccepted, 0.0008, 0.0012);
  between(honestBlocked, 0.19, 0.22);
});

test("the rates agree with a count over every way to fill three seats", () => {
  const small = someTerms({ expectedVoters: 3 }); // quorum 2, accepted by 2 of 3
  const { poisonAccepted, honestBlocked } = voteErrorRates(small, { malicious: 0.2 });
  between(poisonAccepted - (3 * 0.04 * 0.8 + 0.008), -1e-12, 1e-12);
  between(honestBlocked - (3 * 0.04 * 0.8 + 0.008), -1e-12, 1e-12);
});

test("without malicious or wrong votes nothing goes wrong, with only malicious ones everything", () => {
  assert.deepEqual(voteErrorRates(terms, { malicious: 0 }), { seats: 36, poisonAccepted: 0, honestBlocked: 0 });
  const all = voteErrorRates(terms, { malicious: 1 });
  between(all.poisonAccepted, 1 - 1e-12, 1);
  between(all.honestBlocked, 1 - 1e-12, 1);
});

test("a pool short of stake fills fewer seats, and without a quorum nothing is accepted", () => {
  const twenty = voteErrorRates(terms, { malicious: 0.3, total: 2000n * FLK });
  assert.equal(twenty.seats, 20);
  between(twenty.poisonAccepted, 0.004, 0.006);
  const few = voteErrorRates(terms, { malicious: 0.3, total: 1800n * FLK });
  assert.deepEqual(few, { seats: 18, poisonAccepted: 0, honestBlocked: 1 });
});

test("the risk of a seat is told against its pay", () => {
  const { trainer, voter } = seatRisks(terms, 3600n * FLK);
  assert.deepEqual(trainer, { pay: 420n * FLK, risk: 30n * FLK, ratio: 0.0714 });
  assert.deepEqual(voter, { pay: 30n * FLK, risk: 15n * FLK, ratio: 0.5 });
  assert.equal(seatRisks(terms, 0n).voter.ratio, Number.POSITIVE_INFINITY);
});
