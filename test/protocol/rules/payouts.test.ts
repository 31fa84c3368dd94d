import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { factorsOf, trainerPay, voterPay, windowAround, within } from "../../../protocol/rules/payouts.ts";
import { type Slot, tally, type Vote } from "../../../protocol/rules/tally.ts";
import { ABSTAIN, MAX_SCORE, MIN_SCORE, MISSING, Verdict } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { FLK, someTerms } from "../../support/terms.ts";
import { somePoll } from "../../support/votes.ts";

const terms = someTerms();
const sum = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n);

function quorateSlot(median: number, verdict: Verdict = Verdict.Undecided): Slot {
  return { missing: 0, judging: 30, for: 0, against: 0, quorate: true, median, verdict };
}
const accepted = (median: number) => quorateSlot(median, Verdict.Accepted);

test("an accepted update weighs its seats times its gain, any other nothing", () => {
  const slots = [accepted(105), quorateSlot(105), quorateSlot(-300, Verdict.Rejected), accepted(6)];
  assert.deepEqual(factorsOf(terms, slots, [2, 3, 4, 5]), [200n, 0n, 0n, 5n]);
});

test("trainers share their part of the pot by factors", () => {
  // 70 % of 1000 is 700; six seats are expected, so that no cap bites below 233 a seat.
  assert.deepEqual(trainerPay(terms, 1000n, [100n, 300n, 0n], [3, 3, 1]), [175n, 525n, 0n]);
});

test("an accepted proposal that stands alone earns at most twice the fair share of its seats", () => {
  assert.deepEqual(trainerPay(terms, 1000n, [100n], [1]), [233n]); // 2 * 700 * 1 / 6
  assert.deepEqual(trainerPay(terms, 1000n, [100n], [6]), [700n]);
});

test("the worked round of docs/protocol.md comes out as it says", () => {
  assert.deepEqual(factorsOf(terms, [accepted(105), accepted(55)], [2, 1]), [200n, 50n]);
  assert.deepEqual(trainerPay(terms, 1000n, [200n, 50n], [2, 1]), [466n, 140n]);
});

test("with nothing accepted no trainer is paid", () => {
  assert.deepEqual(trainerPay(terms, 1000n, [0n, 0n], [1, 1]), [0n, 0n]);
  assert.deepEqual(trainerPay(terms, 1000n, [], []), []);
});

test("windows grow with the median and saturate at the ends of the range", () => {
  assert.equal(windowAround(terms, 50, -399), 149); // 50 + floor(99.75)
  assert.ok(within(MAX_SCORE, MAX_SCORE - 10, 60));
  assert.ok(within(MIN_SCORE, MIN_SCORE + 10, 60));
  assert.ok(within(-1, 99, 100) && !within(-2, 99, 100));
});

test("voters share their part by seats and the square of their points", () => {
  const slots = [accepted(400), quorateSlot(-400, Verdict.Rejected)];
  const votes = [
    { seats: 1, scores: [390, -380] }, // two points
    { seats: 4, scores: [410, ABSTAIN] }, // one point
    { seats: 9, scores: [0, 0] }, // none
  ];
  // Part 300 of 1000, weights 4 and 4 of 8: 150 each; the cap of the first is 2 * 300 * 1 / 36 = 16.
  assert.deepEqual(voterPay(terms, 1000n, slots, votes), [16n, 66n, 0n]);
  assert.deepEqual(voterPay({ ...terms, expectedVoters: 4 }, 1000n, slots, votes), [150n, 150n, 0n]);
});

test("with one quorate proposal its neighbour is the head, whose median is zero", () => {
  const slots = [accepted(400), { ...quorateSlot(0), quorate: false }];
  const votes = [
    { seats: 1, scores: [390, 7] },
    { seats: 1, scores: [30, 7] },
  ];
  const [near, zero] = voterPay(terms, 10_000n, slots, votes);
  assert.ok(near! > 0n);
  assert.equal(zero, 0n);
});

test("windows are halved, up to three times, until somebody has a point", () => {
  // Medians 40 and 10: windows 60 and 52 overlap. Halved: 30 and 26, 15 and 13.
  const slots = [accepted(40), accepted(10)];
  const vote = (first: number, second: number): Vote => ({ seats: 1, scores: [first, second] });
  const few = { ...terms, expectedVoters: 1 };
  assert.deepEqual(voterPay(few, 1000n, slots, [vote(37, 11), vote(20, 20)]), [300n, 0n]);
  // Medians 9 and 7: windows 52 and 51, in the end 6 and 6, which still overlap for anyone in between.
  assert.deepEqual(voterPay(few, 1000n, [accepted(9), accepted(7)], [vote(9, 7)]), [0n]);
  assert.deepEqual(voterPay(few, 1000n, [accepted(9), accepted(7)], [vote(14, 7)]), [300n]);
});

test("a ballot with one score for all of two or more quorate proposals earns exactly nothing", () => {
  const slots = fc.array(fc.integer({ min: MIN_SCORE, max: MAX_SCORE }), { minLength: 2, maxLength: 16 });
  const others = fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 16, maxLength: 16 });
  const cases = fc.record({ slots, others, constant: fc.integer({ min: MIN_SCORE, max: MAX_SCORE }) });
  holds(
    cases,
    ({ slots, others, constant }) => {
      const votes = [
        { seats: 3, scores: slots.map(() => constant) },
        { seats: 1, scores: others.slice(0, slots.length) },
        { seats: 1, scores: slots },
      ];
      assert.equal(
        voterPay(
          terms,
          FLK,
          slots.map((median) => quorateSlot(median)),
          votes,
        )[0],
        0n,
      );
    },
    500,
  );
});

test("paid out is never more than the pot, and no seat earns more than twice its fair share", () => {
  holds(fc.record({ poll: somePoll, pot: fc.bigInt(0n, 10n ** 24n) }), ({ poll: { slots, votes }, pot }) => {
    const outcome = tally(terms, votes, slots);
    const seats = outcome.map((_, slot) => (slot % 3) + 1);
    const trainers = trainerPay(terms, pot, factorsOf(terms, outcome, seats), seats);
    const voters = voterPay(terms, pot, outcome, votes);
    assert.ok(sum(trainers) <= (pot * 7n) / 10n);
    assert.ok(sum(voters) <= (pot * 3n) / 10n);
    assert.ok(trainers.every((pay, slot) => pay * 6n <= 2n * pot * BigInt(seats[slot]!)));
    assert.ok(voters.every((pay, voter) => pay * 36n <= 2n * pot * BigInt(votes[voter]!.seats)));
  });
});

test("splitting seats over identities changes a voter's pay by rounding only", () => {
  holds(fc.record({ poll: somePoll, pot: fc.bigInt(0n, 10n ** 24n) }), ({ poll: { slots, votes }, pot }) => {
    const outcome = tally(terms, votes, slots);
    const [first, ...rest] = votes as [Vote, ...Vote[]];
    const parts = Array.from({ length: first.seats }, () => ({ ...first, seats: 1 }));
    const whole = voterPay(terms, pot, outcome, votes)[0]!;
    const split = sum(voterPay(terms, pot, outcome, [...parts, ...rest]).slice(0, parts.length));
    assert.ok(split <= whole && whole - split <= BigInt(parts.length), `${split} of ${whole}`);
  });
});

test("splitting seats over identities changes a trainer's pay by rounding only", () => {
  const cases = fc.record({
    pot: fc.bigInt(0n, 10n ** 24n),
    gains: fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 }),
    seats: fc.integer({ min: 2, max: 6 }),
  });
  holds(cases, ({ pot, gains, seats }) => {
    const factors = gains.map((gain, slot) => BigInt(gain * (slot === 0 ? seats : 2)));
    const allSeats = gains.map((_, slot) => (slot === 0 ? seats : 2));
    const whole = trainerPay(terms, pot, factors, allSeats)[0]!;
    const parts = new Array<number>(seats).fill(1);
    const splitFactors = [...parts.map(() => BigInt(gains[0]!)), ...factors.slice(1)];
    const split = sum(trainerPay(terms, pot, splitFactors, [...parts, ...allSeats.slice(1)]).slice(0, seats));
    assert.ok(split <= whole && whole - split <= BigInt(seats), `${split} of ${whole}`);
  });
});

test("specials earn no points", () => {
  const slots = [accepted(400), quorateSlot(-400)];
  const votes = [ABSTAIN, MISSING].map((word) => ({ seats: 1, scores: [word, word] }));
  assert.deepEqual(voterPay(terms, 1000n, slots, votes), [0n, 0n]);
});
