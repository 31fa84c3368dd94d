import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inverseFrequencies } from "../../../learning/model/ropeScaling.ts";

const plain = { headSize: 128, ropeTheta: 500_000 };

describe("rotary frequencies", () => {
  it("fall from 1 by equal ratios", () => {
    const frequencies = inverseFrequencies(plain);
    assert.equal(frequencies.length, 64);
    assert.equal(frequencies[0], 1);
    const ratio = 500_000 ** (-1 / 64);
    for (let i = 1; i < 64; i++) {
      assert.ok(Math.abs((frequencies[i] as number) / (frequencies[i - 1] as number) / ratio - 1) < 1e-12);
    }
  });

  it("are all divided by the factor of a linear scaling", () => {
    const scaled = inverseFrequencies({ ...plain, ropeScaling: { type: "linear", factor: 4 } });
    assert.deepEqual(
      scaled,
      inverseFrequencies(plain).map((frequency) => frequency / 4),
    );
  });

  it("stay where they are fast, and slow down where they are slow, with a passage between (Llama 3.1)", () => {
    const bounds = { lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 8192 };
    const scaled = inverseFrequencies({ ...plain, ropeScaling: { type: "llama3", factor: 8, ...bounds } });
    const kinds = inverseFrequencies(plain).map((frequency, i) => {
      const wavelength = (2 * Math.PI) / frequency;
      const result = scaled[i] as number;
      if (wavelength < 8192 / 4) return assert.equal(result, frequency) ?? "fast";
      if (wavelength > 8192) return assert.equal(result, frequency / 8) ?? "slow";
      // As published: the share of the unscaled frequency rises linearly with the number of turns, 8192 / wavelength.
      const smooth = (8192 / wavelength - 1) / (4 - 1);
      const expected = ((1 - smooth) * frequency) / 8 + smooth * frequency;
      assert.ok(Math.abs(result / expected - 1) < 1e-12);
      return "between";
    });
    assert.deepEqual([...new Set(kinds)], ["fast", "between", "slow"]);
  });
});
