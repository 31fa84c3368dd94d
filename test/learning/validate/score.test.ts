import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Stream } from "../../../learning/random.ts";
import { type Comparison, compare, type Findings, judge, toMicro, toScore } from "../../../learning/validate/score.ts";

/** Micro-nats of losses that differ from `head` by normal numbers around `mean`. */
function candidate(stream: Stream, head: readonly number[], mean: number, deviation: number): number[] {
  return head.map((loss) => loss - Math.round(1e6 * (mean + deviation * stream.normal())));
}

describe("toMicro", () => {
  it("rounds to micro-nats, bounds what is absurd, and marks what is not finite", () => {
    assert.deepEqual(toMicro(Float64Array.of(1.2345678, 0, -0.5, 1e300, -1e300, Number.NaN, Infinity, -Infinity)), [
      1_234_568,
      0,
      -500_000,
      1e12,
      -1e12,
      null,
      null,
      null,
    ]);
  });
});

describe("compare", () => {
  it("takes mean, deviation and the nearer bound of the differences", () => {
    const head = [5_000_000, 4_000_000, 3_000_000, 2_000_000];
    const better = compare(head, [4_000_000, 3_200_000, 2_000_000, 800_000], 2); // 1, 0.8, 1, 1.2
    assert.equal(better.examples, 4);
    assert.equal(better.mean, 1);
    assert.ok(Math.abs(better.deviation - Math.sqrt(0.08 / 3)) < 1e-12);
    assert.ok(Math.abs((better.gain as number) - (1 - Math.sqrt(0.08 / 3))) < 1e-12);
    const worse = compare([4_000_000, 3_200_000, 2_000_000, 800_000], head, 2);
    assert.equal(worse.gain, -(better.gain as number));
  });

  it("says 0 where the bounds lie on both sides, and where there is too little to go by", () => {
    assert.equal(compare([1e6, 1e6, 1e6], [0, 2e6, 0.9e6], 1.645).gain, 0);
    assert.equal(compare([1e6], [0], 0).gain, 0);
    assert.equal(compare([], [], 1.645).gain, 0);
    assert.equal(compare([1e6, 2e6], [1e6, 2e6], 1.645).gain, 0);
  });

  it("finds a gain that no unpaired test could see, and seldom one that is not there", () => {
    const stream = new Stream("1", "compare");
    let found = 0;
    let wrong = 0;
    for (let round = 0; round < 200; round++) {
      const head = Array.from({ length: 512 }, () => Math.round(1e6 * (3 + stream.normal())));
      if ((compare(head, candidate(stream, head, 0.01, 0.05), 1.645).gain as number) > 0) found++;
      if (compare(head, candidate(stream, head, 0, 0.05), 1.645).gain !== 0) wrong++;
    }
    assert.ok(found > 180, `${found} of 200 gains found`);
    assert.ok(wrong < 40, `${wrong} of 200 gains or harms that are not there`); // one in ten expected
  });

  it("leaves out what the head cannot do, and marks a candidate that breaks down", () => {
    assert.equal(compare([null, 2e6, 2e6], [null, 1e6, 1e6], 1).examples, 2);
    assert.equal(compare([null, 2e6, 2e6], [1e6, 1e6, 1e6], 1).gain, 1);
    assert.equal(compare([2e6, 2e6, 2e6], [1e6, null, 1e6], 1).gain, null);
    assert.equal(compare([2e6, 2e6], [1e6], 1).gain, null);
  });
});

describe("toScore", () => {
  it("counts in units, clamps and never wraps", () => {
    assert.equal(toScore(0.0123, 1e-4), 123);
    assert.equal(toScore(-0.0123, 1e-4), -123);
    assert.ok(Object.is(toScore(-1e-9, 1e-4), 0));
    assert.equal(toScore(1e6, 1e-4), 32_767);
    assert.equal(toScore(-1e6, 1e-4), -32_766);
    assert.equal(toScore(null, 1e-4), -32_766);
  });
});

describe("judge", () => {
  const gain = (value: number | null): Comparison => ({ examples: 512, mean: 0, deviation: 0, gain: value });
  const score = (findings: Partial<Findings>) =>
    judge(
      { shared: gain(0.02), own: gain(0.02), alone: gain(-0.5), rise: 0.1, ...findings },
      { unit: 1e-4, margin: 0.6 },
    );

  it("takes the shared slice's gain", () => {
    assert.deepEqual(score({}), { score: 200, reasons: [] });
    assert.deepEqual(score({ shared: gain(-0.03) }), { score: -300, reasons: [] });
    assert.deepEqual(score({ own: null }), { score: 200, reasons: [] });
    assert.deepEqual(score({ own: gain(0) }), { score: 200, reasons: [] });
  });

  it("withholds support for harm on the own split, and never accuses for it", () => {
    assert.deepEqual(score({ own: gain(-0.001) }), { score: 0, reasons: ["harms own data"] });
    assert.deepEqual(score({ own: gain(null) }), { score: 0, reasons: ["harms own data"] });
    assert.deepEqual(score({ own: gain(-9), shared: gain(0) }), { score: 0, reasons: [] });
    assert.deepEqual(score({ own: gain(-9), shared: gain(-0.01) }), { score: -100, reasons: [] });
  });

  it("never lets a gain on the own split help", () => {
    assert.equal(score({ own: gain(5), shared: gain(-0.01) }).score, -100);
    assert.equal(score({ own: gain(5), shared: gain(0) }).score, 0);
  });

  it("puts the score to its lowest for a trigger, and to 0 within the margin if it was positive", () => {
    assert.deepEqual(score({ rise: 0.601 }), { score: -32_766, reasons: ["trigger"] });
    assert.deepEqual(score({ rise: 0.6 }), { score: 0, reasons: ["near a trigger"] });
    assert.deepEqual(score({ rise: 0.3 }), { score: 0, reasons: ["near a trigger"] });
    assert.deepEqual(score({ rise: 0.299 }), { score: 200, reasons: [] });
    assert.deepEqual(score({ rise: 0.5, shared: gain(-0.01) }), { score: -100, reasons: [] });
    assert.deepEqual(score({ rise: 0.7, shared: gain(-0.01) }).score, -32_766);
  });

  it("puts the score to its lowest for an update under which the model breaks down", () => {
    for (const broken of [{ shared: gain(null) }, { alone: gain(null) }, { rise: null }]) {
      assert.deepEqual(score(broken), { score: -32_766, reasons: ["broke down"] });
    }
  });
});
