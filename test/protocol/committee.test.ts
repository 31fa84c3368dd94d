import assert from "node:assert/strict";
import { test } from "node:test";
import { drawnErrorRates, maliciousOperators, seatRisks, voteErrorRates } from "../../protocol/committee.ts";
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

test("300 operators with 36 seats at 60 % accept poison in 0.01 % of rounds at 30 % and 0.05 % at a third, and block 8 % and 17 %", () => {
  const at30 = drawnErrorRates(terms, { malicious: 0.3, operators: 300 });
  between(at30.poisonAccepted, 0.0001, 0.00011);
  between(at30.honestBlocked, 0.08, 0.082);
  const atThird = drawnErrorRates(terms, { malicious: 1 / 3, operators: 300 });
  between(atThird.poisonAccepted, 0.00049, 0.00051);
  between(atThird.honestBlocked, 0.174, 0.176);
});

test("thousands of small operators err about twice as often as a fixed number of seats, and few large ones hardly ever", () => {
  const poison = (operators: number) => drawnErrorRates(terms, { malicious: 0.3, operators }).poisonAccepted;
  const fixed = voteErrorRates(terms, { malicious: 0.3 }).poisonAccepted;
  between(poison(10_000) / fixed, 2, 2.3);
  between(poison(50) / fixed, 0, 0.001);
});

test("the seats of few operators follow from their stake alone where it is worth whole seats", () => {
  // One seat each: 12 against 24, then 15 against 21, which is less than 60 %.
  const { poisonAccepted, honestBlocked } = drawnErrorRates(terms, { malicious: 12 / 36, operators: 36 });
  between(poisonAccepted, 0, 0);
  between(honestBlocked, 0, 1e-12);
  assert.deepEqual(drawnErrorRates(terms, { malicious: 15 / 36, operators: 36 }).honestBlocked, 1);
});

test("each side that holds stake has an operator", () => {
  const count = (malicious: number) => maliciousOperators({ malicious, operators: 10 });
  assert.deepEqual([0, 0.01, 0.25, 0.99, 1].map(count), [0, 1, 3, 9, 10]);
});

test("the risk of a seat is told against its pay", () => {
  const { trainer, voter } = seatRisks(terms, 3600n * FLK);
  assert.deepEqual(trainer, { pay: 420n * FLK, risk: 30n * FLK, ratio: 0.0714 });
  assert.deepEqual(voter, { pay: 30n * FLK, risk: 15n * FLK, ratio: 0.5 });
  assert.equal(seatRisks(terms, 0n).voter.ratio, Number.POSITIVE_INFINITY);
});
