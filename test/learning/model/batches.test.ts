import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bucketFor, packBatch } from "../../../learning/model/batches.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { smallConfig } from "../../support/adapter.ts";

const config = { ...smallConfig, maxPositions: 64 };
const sequence = (length: number, promptLength = 1) => ({ tokens: new Int32Array(length), promptLength });

describe("a sequence", () => {
  it("goes to the shortest length that holds all but its last token", () => {
    assert.equal(bucketFor(sequence(2), config), 16);
    assert.equal(bucketFor(sequence(17), config), 16);
    assert.equal(bucketFor(sequence(18), config), 32);
    assert.equal(bucketFor(sequence(65), config), 64);
  });

  it("is bounded by the model's positions alone", () => {
    assert.equal(bucketFor(sequence(514), { ...config, maxPositions: 131_072 }), 1024);
    assert.equal(bucketFor(sequence(100_001), { ...config, maxPositions: 131_072 }), 131_072);
    assert.equal(bucketFor(sequence(41), { ...config, maxPositions: 40 }), 40);
    assert.equal(bucketFor(sequence(9), { ...config, maxPositions: 8 }), 8);
  });

  it("that is too long, has nothing to judge or an unknown token is refused", () => {
    assert.throws(() => bucketFor(sequence(66), config), /at most 65/);
    assert.throws(() => bucketFor(sequence(5, 5), config), PermanentError);
    assert.throws(() => bucketFor(sequence(5, 0), config), PermanentError);
    assert.throws(() => bucketFor({ tokens: Int32Array.of(1, 263), promptLength: 1 }, config), /token 263/);
    assert.throws(() => bucketFor({ tokens: Int32Array.of(-1, 2), promptLength: 1 }, config), /token -1/);
  });
});

describe("a batch", () => {
  const sequences = [
    { tokens: Int32Array.of(5, 6, 7, 8), promptLength: 2 },
    { tokens: Int32Array.of(1, 2, 3), promptLength: 2 },
  ];

  it("pairs each token with the next and counts completion tokens only", () => {
    const { tokens, labels, weights } = packBatch(sequences, { rows: 3, length: 4, mean: "example" });
    assert.deepEqual([...tokens], [5, 6, 7, 0, 1, 2, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...labels], [6, 7, 8, 0, 2, 3, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...weights], [0, 0.5, 0.5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  });

  it("counts every completion token alike if asked to", () => {
    const { weights } = packBatch(sequences, { rows: 2, length: 4, mean: "token" });
    const third = Math.fround(1 / 3);
    assert.deepEqual([...weights], [0, third, third, 0, 0, third, 0, 0]);
  });
});
