import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dequantise, MAX_EXPONENT, MIN_EXPONENT, quantise } from "../../../learning/artifact/quantise.ts";
import type { AdapterTensor } from "../../../learning/model/adapter.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { randomDelta, smallLayout } from "../../support/adapter.ts";

/** Rows of three elements. */
function rowsOf(...rows: [number, number, number][]) {
  const tensor: AdapterTensor = {
    name: "layers.0.q_proj.B",
    layer: 0,
    target: "q_proj",
    rows: rows.length,
    columns: 3,
    inputs: 8,
    offset: 0,
  };
  const update = quantise([tensor], Float32Array.from(rows.flat()));
  const { q, exponents } = update.tensors[0] as (typeof update.tensors)[number];
  return rows.map((_, row) => [exponents[row], ...q.subarray(3 * row, 3 * row + 3)]);
}

describe("quantise", () => {
  it("gives each row the smallest power of two by which it fits into a signed byte", () => {
    assert.deepEqual(
      rowsOf([127 / 128, 0.5, -1 / 128], [127.5 / 128, 0.5, -1 / 128], [-1, 0.25, 0], [127, -64, 1], [0, 0, 0]),
      [
        [-7, 127, 64, -1],
        [-6, 64, 32, 0], // 63.75 and -0.5
        [-6, -64, 16, 0],
        [0, 127, -64, 1],
        [MIN_EXPONENT, 0, 0, 0],
      ],
    );
  });

  it("rounds half to even", () => {
    assert.deepEqual(rowsOf([100, 0.5, 1.5], [100, -0.5, -1.5], [100, 2.5, -2.5], [100, 2.4999, -2.5001]), [
      [0, 100, 0, 2],
      [0, 100, 0, -2],
      [0, 100, 2, -2],
      [0, 100, 2, -3],
    ]);
  });

  it("holds elements beyond its range at its ends", () => {
    assert.deepEqual(rowsOf([1e30, -1e30, 1], [2 ** -24, 2 ** -25, 2 ** -26]), [
      [MAX_EXPONENT, 127, -127, 1],
      [MIN_EXPONENT, 1, 0, 0],
    ]);
  });

  it("errs by at most half a step, and not at all on what it made itself", () => {
    const stream = new Stream("1", "quantise");
    for (let round = 0; round < 200; round++) {
      const delta = randomDelta(stream);
      const update = quantise(smallLayout, delta);
      const again = dequantise(update);
      for (const [index, { rows, columns, offset }] of smallLayout.entries()) {
        for (let at = 0; at < rows * columns; at++) {
          const step = 2 ** (update.tensors[index]?.exponents[Math.floor(at / columns)] as number);
          assert.ok(Math.abs((again[offset + at] as number) - (delta[offset + at] as number)) <= step / 2);
        }
      }
      assert.deepEqual(quantise(smallLayout, again), update);
    }
  });

  it("refuses what is not finite or not of the adapter, and says where", () => {
    const refuses = (delta: Float32Array, pattern: RegExp) =>
      assert.throws(
        () => quantise(smallLayout, delta),
        (error) => error instanceof PermanentError && pattern.test(error.message),
      );
    const size = dequantise(quantise(smallLayout, randomDelta(new Stream("2", "quantise")))).length;
    refuses(new Float32Array(size - 1), /has \d+ elements, but the adapter has/);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const delta = new Float32Array(size);
      delta[4] = value;
      refuses(delta, new RegExp(`holds ${value} in layers\\.0\\.q_proj\\.B, row 1`));
    }
  });
});
