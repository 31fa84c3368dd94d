import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ballotFlaw, clampScore, judges, NO_HEAD, packScores, unpackScores } from "../../../protocol/rules/ballots.ts";
import { ABSTAIN, MAX_SCORE, MIN_SCORE, MISSING } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { headOf } from "../../support/words.ts";

test("scores are packed with slot 0 in the lowest lane, two's complement", () => {
  assert.equal(packScores([1, -1, ABSTAIN]), 0x8000_ffff_0001n);
  assert.equal(packScores([]), 0n);
});

test("packing is undone by unpacking", () => {
  holds(fc.array(fc.integer({ min: ABSTAIN, max: MAX_SCORE }), { maxLength: 16 }), (scores) => {
    assert.deepEqual(unpackScores(packScores(scores)).slice(0, scores.length), scores);
    assert.ok(
      unpackScores(packScores(scores))
        .slice(scores.length)
        .every((score) => score === 0),
    );
  });
});

test("sixteen scores fit, and the highest one", () => {
  assert.equal(packScores(new Array<number>(16).fill(MAX_SCORE)), BigInt(`0x${"7fff".repeat(16)}`));
});

test("a score that does not fit is refused, and so is a seventeenth", () => {
  assert.throws(() => packScores([MAX_SCORE + 1]), /score 32768 of slot 0/);
  assert.throws(() => packScores([0, 0.5]), /score 0.5 of slot 1/);
  assert.throws(() => packScores(new Array<number>(17).fill(0)), /16 lanes, but 17/);
});

test("a measured score is rounded and clamped, never wrapped and never a special word", () => {
  assert.equal(clampScore(1.6), 2);
  assert.equal(clampScore(1e9), MAX_SCORE);
  assert.equal(clampScore(-1e9), MIN_SCORE);
  assert.equal(clampScore(Number.NEGATIVE_INFINITY), MIN_SCORE);
  assert.equal(clampScore(Number.NaN), MIN_SCORE);
  assert.deepEqual([ABSTAIN, MISSING, MIN_SCORE].map(judges), [false, false, true]);
});

test("a lane beyond the published proposals must be zero", () => {
  assert.equal(ballotFlaw(packScores([1, 2]), headOf(1), 2), undefined);
  assert.match(ballotFlaw(packScores([1, 2]), headOf(1), 1) ?? "", /lane 1 is 2, but only 1/);
  assert.match(ballotFlaw(packScores([1]), headOf(1), 0) ?? "", /lane 0 is 1, but only 0/);
});

test("no head goes only with a ballot that judges nothing", () => {
  assert.equal(ballotFlaw(packScores([ABSTAIN, MISSING]), NO_HEAD, 2), undefined);
  assert.match(ballotFlaw(packScores([ABSTAIN, 0]), NO_HEAD, 2) ?? "", /names no head/);
  assert.equal(ballotFlaw(packScores([ABSTAIN, MISSING]), headOf(1), 2), undefined);
});
