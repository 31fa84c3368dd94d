import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeAbiParameters, keccak256 } from "viem";
import { rankWeights } from "../../../protocol/rules/ranking.ts";
import type { Slot } from "../../../protocol/rules/tally.ts";
import { Verdict } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";
import { addressOf, wordOf } from "../../support/words.ts";

const seed = wordOf(5);
const slotOf = (median: number, verdict: Verdict = Verdict.Accepted): Slot => {
  return { missing: 0, judging: 30, for: 0, against: 0, quorate: true, median, verdict };
};
const by = (...seats: number[]) => seats.map((each, i) => ({ operator: addressOf(100 + i), seats: each }));
const half = someTerms({ rankRatioBps: 5000 });

test("a proposal with k seats takes the next k places, and each place weighs the ratio of the one before", () => {
  const slots = [slotOf(200), slotOf(300), slotOf(100)];
  // Slot 1 takes places 0 and 1, slot 0 places 2 to 4, slot 2 place 5.
  const place = (n: bigint) => 2n ** (64n - n);
  assert.deepEqual(rankWeights(half, slots, by(3, 2, 1), seed), [
    place(2n) + place(3n) + place(4n),
    place(0n) + place(1n),
    place(5n),
  ]);
});

test("what is not accepted takes no place", () => {
  const slots = [slotOf(900, Verdict.Undecided), slotOf(-900, Verdict.Rejected), slotOf(10)];
  assert.deepEqual(rankWeights(half, slots, by(1, 1, 1), seed), [0n, 0n, 2n ** 64n]);
});

test("equal medians are ordered by the hash of seed and proposer, so nobody chooses its place", () => {
  const tie = (n: number) => {
    const parameters = [{ type: "bytes32" }, { type: "address" }] as const;
    return BigInt(keccak256(encodeAbiParameters(parameters, [seed, addressOf(100 + n)])));
  };
  const slots = [slotOf(50), slotOf(50), slotOf(50)];
  const order = [0, 1, 2].sort((a, b) => (tie(a) < tie(b) ? -1 : 1));
  const weights = rankWeights(half, slots, by(1, 1, 1), seed);
  assert.deepEqual(
    order.map((slot) => weights[slot]),
    [2n ** 64n, 2n ** 63n, 2n ** 62n],
  );
});

test("places are floored, and far ones of a steep ratio weigh nothing", () => {
  const steep = someTerms({ rankRatioBps: 1 });
  const [first, second] = [2n ** 64n, 2n ** 64n / 10_000n];
  assert.deepEqual(rankWeights(steep, [slotOf(9)], by(2), seed), [first + second]);
  assert.deepEqual(rankWeights(steep, [slotOf(9), slotOf(8)], by(8, 1), seed)[1], 0n);
});

test("splitting a proposal into several of the same quality wins its owner nothing", () => {
  const cases = fc.record({ seats: fc.integer({ min: 2, max: 9 }), ratio: fc.integer({ min: 1, max: 10_000 }) });
  holds(cases, ({ seats, ratio }) => {
    const terms = someTerms({ rankRatioBps: ratio });
    const whole = rankWeights(terms, [slotOf(70), slotOf(60)], by(seats, 1), seed);
    const parts = [...Array.from({ length: seats }, () => slotOf(70)), slotOf(60)];
    const split = rankWeights(terms, parts, by(...parts.map(() => 1)), seed);
    assert.equal(
      split.slice(0, -1).reduce((a, b) => a + b, 0n),
      whole[0],
    );
    assert.equal(split.at(-1), whole[1]);
  });
});
