import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clipToNorm, clipWithRest, productNorm } from "../../../learning/artifact/norm.ts";
import { dequantise } from "../../../learning/artifact/quantise.ts";
import { readRest, writeRest } from "../../../learning/artifact/rest.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { randomDelta, smallLayout, smallLimit } from "../../support/adapter.ts";

const random = new Stream("rest", "deltas");

describe("what rounding takes from an update", () => {
  it("is the difference from what is sent, at most half a step of its row", () => {
    const delta = randomDelta(random);
    const { update, rest } = clipWithRest(smallLayout, delta, smallLimit);
    const sent = dequantise(update);
    assert.deepEqual(update, clipToNorm(smallLayout, delta, smallLimit));
    for (const [i, value] of delta.entries()) assert.ok((sent[i] as number) + (rest[i] as number) === value);
    for (const [index, { rows, columns, offset }] of smallLayout.entries()) {
      for (let row = 0; row < rows; row++) {
        const half = 2 ** ((update.tensors[index]?.exponents[row] as number) - 1);
        for (let i = offset + row * columns; i < offset + (row + 1) * columns; i++) {
          assert.ok(Math.abs(rest[i] as number) <= half);
        }
      }
    }
    assert.ok(rest.some((value) => value !== 0));
  });

  it("leaves out what shortening to the norm's limit takes", () => {
    const delta = randomDelta(random);
    const norm = productNorm(clipToNorm(smallLayout, delta, smallLimit), smallLimit);
    const { update, rest } = clipWithRest(smallLayout, delta, { ...smallLimit, maxNorm: norm / 10 });
    const sent = dequantise(update);
    const length = (numbers: Float32Array) => Math.hypot(...numbers);
    assert.ok(length(sent) < 0.11 * length(delta));
    assert.ok(length(rest) < 0.02 * length(sent), "most of the update was cut off, and is not owed");
  });

  it("adds up without it and not with it, when it is added to the next update before that is rounded", () => {
    const deltas = Array.from({ length: 30 }, () =>
      randomDelta(random).map((value, i) => value + (i % 5 === 0 ? 0.01 : 0)),
    );
    const missing = (feedback: boolean) => {
      let rest = new Float32Array(deltas[0]?.length ?? 0);
      const lost = new Float64Array(rest.length);
      for (const delta of deltas) {
        const owed = rest;
        const wanted = feedback ? delta.map((value, i) => value + (owed[i] as number)) : delta;
        const { update, rest: left } = clipWithRest(smallLayout, wanted, smallLimit);
        const sent = dequantise(update);
        for (const [i, value] of delta.entries()) lost[i] = (lost[i] as number) + value - (sent[i] as number);
        rest = Float32Array.from(left);
      }
      return Math.hypot(...lost);
    };
    assert.ok(missing(true) < 0.4 * missing(false), `${missing(true)} and ${missing(false)}`);
  });

  it("is read back from its file to the same bits, and refused where it is damaged or of another adapter", () => {
    const { rest } = clipWithRest(smallLayout, randomDelta(random), smallLimit);
    const bytes = writeRest(smallLayout, rest);
    assert.deepEqual(readRest(bytes, smallLayout, "x"), Float32Array.from(rest));
    for (const damaged of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(4)]), Buffer.from("{}")]) {
      assert.throws(() => readRest(damaged, smallLayout, "x"), PermanentError);
    }
    assert.throws(() => readRest(bytes, smallLayout.slice(1), "x"), /x: /);
  });
});
