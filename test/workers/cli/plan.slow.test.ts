import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eightBillion, writeHollowCheckpoint } from "../../support/hollowCheckpoint.ts";
import { flockctl } from "../../support/workerTask.ts";

const model = join(import.meta.dirname, "..", "..", "..", "models", "tiny");

describe("flockctl plan", () => {
  test("says what training a model takes, and that it fits", async () => {
    const { code, stdout, stderr } = await flockctl([
      "plan",
      "--model",
      model,
      "--batch",
      "4",
      "--tokens",
      "64",
      "--json",
    ]);
    assert.equal(code, 0, stderr);
    const plan = JSON.parse(stdout);
    const { total, ...parts } = plan.memory as Record<string, number>;
    assert.equal(
      Object.values(parts).reduce((a, b) => a + b),
      total,
    );
    assert.equal(plan.fits, true);
    assert.equal(plan.secondsPerStep, plan.flopsPerStep / plan.gemmRate);
    assert.ok(plan.artifact > 0 && plan.disk > 0);
  });

  test("trains one group of layers at a time where there is no memory for the whole model", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flock-"));
    after(() => rm(folder, { recursive: true }));
    await writeHollowCheckpoint(folder, eightBillion(2));
    const large = ["plan", "--model", folder, "--batch", "2", "--tokens", "128", "--rank", "8", "--json"];
    const whole = JSON.parse((await flockctl([...large, "--memory", "14000"])).stdout);
    assert.equal(whole.form, "fused");
    const parts = JSON.parse((await flockctl([...large, "--memory", "4500"])).stdout);
    assert.equal(parts.form, "streamed");
    assert.equal(parts.fits, true);
    assert.ok(parts.available <= 4500 * 2 ** 20);
    assert.ok(parts.memory.total < whole.memory.total);
  });

  test("reckons with the longest rows that packing makes", async () => {
    const { code, stdout, stderr } = await flockctl(["plan", "--model", model, "--tokens", "64", "--packing"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /for \d+ x 256 tokens, the most that packing makes of them/);
  });

  test("names the batch that would fit where the asked one does not", async () => {
    const { code, stdout } = await flockctl(["plan", "--model", model, "--batch", "65536", "--tokens", "512"]);
    assert.equal(code, 0);
    assert.match(stdout, /^It does not fit; --batch [1-9][0-9]* --accumulate [1-9][0-9]* would\.$/m);
  });

  test("names a wrong option and a folder that is no model", async () => {
    const wrong = await flockctl(["plan", "--model", model, "--batch", "0"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--batch must be a whole number from 1/);
    const missing = await flockctl(["plan", "--model", join(model, "nowhere")]);
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /nowhere\/config\.json/);
  });
});
