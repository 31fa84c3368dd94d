import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lowerMedian, quorumOf, type Slot, tally, type Vote } from "../../../protocol/rules/tally.ts";
import { ABSTAIN, MISSING, Verdict } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";
import { somePoll } from "../../support/votes.ts";

// Quorum 19, accepted at 60 %, for is above 5, against is below -50.
const terms = someTerms();

/** The verdict on one proposal, given seats by score. */
function judge(...seatsByScore: [seats: number, score: number][]): Slot {
  const votes: Vote[] = seatsByScore.map(([seats, score]) => ({ seats, scores: [score] }));
  return tally(terms, votes, 1)[0]!;
}
const verdictOf = (...seatsByScore: [seats: number, score: number][]) => judge(...seatsByScore).verdict;

test("quorum is more than half of the expected seats", () => {
  assert.equal(quorumOf(someTerms({ expectedVoters: 36 })), 19);
  assert.equal(quorumOf(someTerms({ expectedVoters: 5 })), 3);
});

test("the lower median is the smallest value that half of the weight does not exceed", () => {
  assert.equal(
    lowerMedian([
      { value: 1, weight: 1 },
      { value: 9, weight: 1 },
    ]),
    1,
  );
  assert.equal(
    lowerMedian([
      { value: 9, weight: 2 },
      { value: 1, weight: 1 },
    ]),
    9,
  );
  assert.equal(lowerMedian([]), 0);
  const weighted = fc.array(fc.record({ value: fc.integer(), weight: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
  });
  holds(weighted, (values) => {
    const sorted = values.flatMap(({ value, weight }) => new Array<number>(weight).fill(value)).sort((a, b) => a - b);
    assert.equal(lowerMedian(values), sorted[Math.ceil(sorted.length / 2) - 1]);
  });
});

test("a proposal is accepted by a quorum, a median above the least gain, and the majority of those who took sides", () => {
  assert.equal(verdictOf([19, 6]), Verdict.Accepted);
  assert.equal(verdictOf([18, 6]), Verdict.Undecided, "no quorum");
  assert.equal(verdictOf([36, 5]), Verdict.Undecided, "the median is only the least gain");
  assert.equal(verdictOf([21, 6], [14, -51]), Verdict.Accepted, "60 % of 35");
  assert.equal(verdictOf([20, 6], [14, -51]), Verdict.Undecided, "58.8 % of 34");
  assert.equal(verdictOf([18, 6], [18, -50]), Verdict.Undecided, "half of the seats are neutral: the median is theirs");
  assert.equal(verdictOf([19, 6], [17, -50]), Verdict.Accepted, "neutral seats take no side");
});

test("a proposal is rejected the same way on the other side", () => {
  assert.equal(verdictOf([19, -51]), Verdict.Rejected);
  assert.equal(verdictOf([18, -51]), Verdict.Undecided);
  assert.equal(verdictOf([36, -50]), Verdict.Undecided);
  assert.equal(verdictOf([21, -51], [14, 6]), Verdict.Rejected);
  assert.equal(verdictOf([20, -51], [14, 6]), Verdict.Undecided);
  assert.equal(verdictOf([18, -51], [18, 5]), Verdict.Rejected, "the lower median is never positive by a tie");
});

test("a proposal is missing if enough of the revealed seats say so", () => {
  assert.equal(verdictOf([21, MISSING], [14, 100]), Verdict.Missing);
  assert.equal(verdictOf([20, MISSING], [19, 100]), Verdict.Accepted, "51 % do not suffice");
  assert.equal(verdictOf([21, MISSING], [14, ABSTAIN]), Verdict.Missing);
  assert.equal(verdictOf([20, MISSING], [15, ABSTAIN]), Verdict.Undecided);
});

test("a missing proposal is not quorate, even if a quorum judged it", () => {
  const slot = judge([40, MISSING], [20, 100]);
  assert.deepEqual([slot.verdict, slot.quorate, slot.median], [Verdict.Missing, false, 0]);
});

test("abstaining seats neither judge nor count for a quorum", () => {
  assert.deepEqual(judge([18, 100], [18, ABSTAIN]), {
    missing: 0,
    judging: 18,
    for: 18,
    against: 0,
    quorate: false,
    median: 0,
    verdict: Verdict.Undecided,
  });
});

test("each proposal is judged by itself, and the order of the voters changes nothing", () => {
  holds(somePoll, ({ slots, votes }) => {
    const whole = tally(terms, votes, slots);
    assert.deepEqual(tally(terms, [...votes].reverse(), slots), whole);
    const alone = whole.map(
      (_, slot) =>
        tally(
          terms,
          votes.map(({ seats, scores }) => ({ seats, scores: [scores[slot]!] })),
          1,
        )[0]!,
    );
    assert.deepEqual(alone, whole);
  });
});

test("the median lies within the judging scores, and a verdict on its side of it", () => {
  holds(somePoll, ({ slots, votes }) => {
    tally(terms, votes, slots).forEach(({ quorate, median, verdict }, slot) => {
      const judging = votes.map(({ scores }) => scores[slot]!).filter((score) => score > MISSING);
      if (quorate) assert.ok(median >= Math.min(...judging) && median <= Math.max(...judging));
      else assert.ok(median === 0 && (verdict === Verdict.Undecided || verdict === Verdict.Missing));
      if (verdict === Verdict.Accepted) assert.ok(median > terms.minGain);
      if (verdict === Verdict.Rejected) assert.ok(median < -terms.band);
    });
  });
});

test("a voter with several seats counts as as many voters with one", () => {
  holds(somePoll, ({ slots, votes }) => {
    const split = votes.flatMap(({ seats, scores }) => Array.from({ length: seats }, () => ({ seats: 1, scores })));
    assert.deepEqual(tally(terms, split, slots), tally(terms, votes, slots));
  });
});
