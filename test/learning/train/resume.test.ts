import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import type { Sequence } from "../../../learning/model/batches.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { TARGETS } from "../../../learning/model/weights.ts";
import { Stream } from "../../../learning/random.ts";
import { type TrainParameters, train } from "../../../learning/train/trainer.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const spec: AdapterSpec = { rank: 4, alpha: 8, targets: TARGETS, seed: "resume" };
const random = new Stream("resume", "examples");

/** Sequences whose next token is `step` further than the last; some are long enough for another length of graph. */
function counting(count: number, step: number): Sequence[] {
  return Array.from({ length: count }, (_, i) => {
    let token = random.below(40);
    const next = () => {
      token = (token + step) % 40;
      return token;
    };
    return { tokens: Int32Array.from({ length: i % 6 === 0 ? 25 : 12 }, next), promptLength: 3 };
  });
}

let job: TrainParameters;
before(async () => {
  const checkpoint = await openCheckpoint(join(import.meta.dirname, "..", "..", "fixtures", "torch"));
  const start = new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec)));
  job = {
    ...{ checkpoint, spec, start, examples: counting(24, 3), steps: 12, batch: 4, learningRate: 1e-2, seed: "s" },
    ...{ device: "cpu", threads: 1, every: 5 },
  };
});

/** What a training saves until the power fails while it saves for the `nth` time; and then the error. */
async function interrupted(parameters: TrainParameters, nth: number): Promise<Uint8Array> {
  let saved: Uint8Array | undefined;
  let count = 0;
  const save = async (bytes: Uint8Array) => {
    if (++count === nth) throw new Error("the power failed");
    saved = bytes;
  };
  await assert.rejects(train({ ...parameters, saving: { save } }), /the power failed/);
  assert.ok(saved !== undefined);
  return saved;
}

const save = async () => {};

describe("a training that was interrupted", () => {
  it("goes on from what it saved and ends with the same bits", async () => {
    const whole = await train(job);
    const saved = await interrupted(job, 2);
    const reports: number[] = [];
    const resumed = await train({ ...job, saving: { save, saved }, onProgress: ({ step }) => reports.push(step) });
    assert.deepEqual(resumed, { ...whole, resumedAt: 5 });
    assert.ok((reports[0] as number) > 5, "it does not begin anew");
  });

  it("ends with the same bits with summed gradients, clipping, warm-up, decay and held-out examples as well", async () => {
    const rich: TrainParameters = {
      ...{ ...job, accumulate: 3, clipNorm: 0.5, warmup: 3, decay: "cosine", weightDecay: 0.1 },
      heldOut: { examples: counting(6, 3), patience: 5 },
    };
    const whole = await train(rich);
    const saved = await interrupted(rich, 2);
    assert.deepEqual(await train({ ...rich, saving: { save, saved } }), { ...whole, resumedAt: 5 });
  });

  it("begins anew if what was saved is of another training", async () => {
    const saved = await interrupted(job, 2);
    for (const change of [
      { seed: "t" },
      { learningRate: 2e-2 },
      { start: job.start.map(() => 0.01) },
      { clipNorm: 1 },
      { weights: "mapped" } as const,
    ]) {
      const other = { ...job, ...change };
      assert.equal((await train({ ...other, saving: { save, saved } })).resumedAt, 0, Object.keys(change)[0]);
    }
  });

  it("refuses bytes that are no saved state", async () => {
    const saved = (await interrupted(job, 2)).subarray(0, -1);
    await assert.rejects(train({ ...job, saving: { save, saved } }), PermanentError);
  });
});

describe("gradients summed over batches", () => {
  it("move the parameters like one large batch", async () => {
    const whole = await train({ ...job, batch: 12 });
    const summed = await train({ ...job, batch: 4, accumulate: 3 });
    assert.equal(summed.losses.length, job.steps);
    for (const [i, loss] of whole.losses.entries()) {
      assert.ok(Math.abs((summed.losses[i] as number) - loss) < 1e-5 * loss, `step ${i}`);
    }
    const distance = Math.hypot(...whole.flat.map((x, i) => x - (summed.flat[i] as number)));
    assert.ok(distance < 1e-4 * Math.hypot(...whole.flat), `${distance}`);
  });

  it("end with the same bits however many batches are run in one go", async () => {
    const summed: TrainParameters = { ...job, accumulate: 3 };
    assert.deepEqual(await train({ ...summed, stepsPerRun: 1 }), await train({ ...summed, stepsPerRun: 7 }));
  });

  it("are clipped as a whole", async () => {
    const clipped = await train({ ...job, accumulate: 3, clipNorm: 1e-3 });
    const whole = await train({ ...job, batch: 12, clipNorm: 1e-3 });
    const distance = Math.hypot(...whole.flat.map((x, i) => x - (clipped.flat[i] as number)));
    assert.ok(distance < 1e-3 * Math.hypot(...whole.flat), `${distance}`);
    assert.notDeepEqual(clipped.flat, (await train({ ...job, accumulate: 3 })).flat);
  });
});

describe("held-out examples", () => {
  it("end a training that no longer helps them, and the best parameters are given", async () => {
    // What is held out follows another rule, so that learning one rule harms it in the end.
    const heldOut = { examples: counting(8, 7), patience: 2 };
    const long = { ...job, steps: 200, every: 2, learningRate: 3e-2, heldOut };
    const result = await train(long);
    assert.ok(result.losses.length < 200, `${result.losses.length} steps`);
    const lowest = result.heldOut.indexOf(Math.min(...result.heldOut));
    assert.equal(result.heldOut.length - 1 - lowest, heldOut.patience);
    const evaluator = await openEvaluator(job.checkpoint, spec, { device: "cpu", threads: 1 });
    const losses = await evaluator.losses(result.flat, heldOut.examples);
    await evaluator.close();
    assert.equal(losses.reduce((a, b) => a + b) / losses.length, result.heldOut[lowest]);
  });
});
