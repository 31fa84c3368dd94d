import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keystream, Stream } from "../../learning/random.ts";
import { PermanentError } from "../../protocol/errors.ts";

describe("keystream", () => {
  it("gives the same bytes for ever", () => {
    assert.equal(keystream("seed", "label", 16).toString("hex"), "4d92c1d7d3c21bcad1ffd7b46b20b68e");
  });

  it("gives longer streams that begin like shorter ones, and others for other seeds and labels", () => {
    const bytes = keystream("seed", "label", 100);
    assert.deepEqual(bytes.subarray(0, 33), keystream("seed", "label", 33));
    assert.notDeepEqual(bytes, keystream("seed", "other", 100));
    assert.notDeepEqual(bytes, keystream("other", "label", 100));
  });

  it("refuses a seed in which seed and label could not be told apart", () => {
    assert.throws(() => keystream("a|b", "c", 1), PermanentError);
  });
});

describe("a stream", () => {
  it("reads the keystream in words, beyond its first block", () => {
    const stream = new Stream("seed", "label");
    const bytes = keystream("seed", "label", 8192);
    for (let i = 0; i < 2048; i++) assert.equal(stream.uint32(), bytes.readUInt32LE(4 * i));
  });

  it("draws below n without bias", () => {
    const stream = new Stream("seed", "below");
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[stream.below(7)]!++;
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 400, `${counts}`);
  });

  it("throws words away that would make small numbers likelier", () => {
    // Below 3 * 2^30, every fourth word is too large; taking it modulo would double a third of the numbers.
    const stream = new Stream("seed", "rejection");
    const draws = Array.from({ length: 9000 }, () => stream.below(3 * 2 ** 30));
    const low = draws.filter((draw) => draw < 2 ** 30).length;
    assert.ok(Math.abs(low - 3000) < 200, `${low}`);
  });

  it("refuses to draw below nothing", () => {
    assert.throws(() => new Stream("seed", "label").below(0), PermanentError);
    assert.throws(() => new Stream("seed", "label").below(2.5), PermanentError);
  });

  it("draws floats in [0, 1) and normals of mean 0 and deviation 1", () => {
    const stream = new Stream("seed", "normal");
    const floats = Array.from({ length: 10_000 }, () => stream.float());
    assert.ok(floats.every((x) => x >= 0 && x < 1));
    const normals = Array.from({ length: 10_000 }, () => stream.normal());
    const mean = normals.reduce((a, b) => a + b) / normals.length;
    const variance = normals.reduce((a, b) => a + b * b, 0) / normals.length;
    assert.ok(Math.abs(mean) < 0.04 && Math.abs(variance - 1) < 0.06, `${mean} ${variance}`);
  });

  it("shuffles into a permutation, always the same", () => {
    const shuffled = () => new Stream("seed", "shuffle").shuffle([0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(shuffled(), shuffled());
    assert.notDeepEqual(shuffled(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(shuffled().sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
