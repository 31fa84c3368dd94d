import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { watchHeldOut } from "../../../learning/train/earlyStop.ts";

describe("watching held-out examples", () => {
  it("goes on after 200,000 looks, and stops after as many without anything better as it has patience", async () => {
    const seen = Array.from({ length: 200_000 }, (_, i) => 3 - i / 1e6);
    const from = { best: Float32Array.of(1), losses: seen };
    const better = watchHeldOut(async () => 1, { patience: 1, from });
    assert.equal(await better.look(Float32Array.of(2)), "go on");
    assert.deepEqual(better.watched()?.best, Float32Array.of(2));
    const worse = watchHeldOut(async () => 3, { patience: 2, from });
    assert.equal(await worse.look(Float32Array.of(2)), "go on");
    assert.equal(await worse.look(Float32Array.of(2)), "stop");
    assert.deepEqual(worse.watched()?.best, Float32Array.of(1));
  });
});
