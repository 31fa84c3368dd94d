import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { InferenceSession } from "onnxruntime-node";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import type { Sequence } from "../../../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { TARGETS } from "../../../learning/model/weights.ts";
import { Stream } from "../../../learning/random.ts";
import type { Progress } from "../../../learning/train/engine.ts";
import { type TrainParameters, train } from "../../../learning/train/trainer.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const spec: AdapterSpec = { rank: 4, alpha: 8, targets: TARGETS, seed: "trainer" };
const random = new Stream("trainer", "examples");
/** The next token follows from the last, so that there is something to learn; some are long enough for another length of graph. */
const examples: Sequence[] = Array.from({ length: 24 }, (_, i) => {
  let token = random.below(40);
  const next = () => {
    token = (token * 3 + 1) % 40;
    return token;
  };
  return { tokens: Int32Array.from({ length: i % 6 === 0 ? 25 : 12 }, next), promptLength: 3 };
});
const short = examples.filter(({ tokens }) => tokens.length === 12);

let checkpoint: Checkpoint;
let job: TrainParameters;
before(async () => {
  checkpoint = await openCheckpoint(join(import.meta.dirname, "..", "..", "fixtures", "torch"));
  const start = new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec)));
  job = {
    ...{ checkpoint, spec, start, examples, steps: 12, batch: 6, learningRate: 1e-2, seed: "s" },
    ...{ device: "cpu", threads: 1 },
  };
});

describe("training", () => {
  it("lowers the loss, reports progress and leaves its start as it was", async () => {
    const reports: Progress[] = [];
    const result = await train({ ...job, steps: 40, onProgress: (progress) => reports.push(progress) });
    assert.equal(result.losses.length, 40);
    assert.equal(result.device, "cpu");
    assert.match(result.graph, /^[0-9a-f]{64}$/);
    assert.ok(job.start.every((x) => x === 0));
    assert.deepEqual(reports.at(-1), { step: 40, steps: 40, loss: result.losses[39] });
    assert.ok(reports.every(({ step }, i) => i === 0 || step > (reports[i - 1] as Progress).step));
    const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
    const mean = async (flat: Float32Array) =>
      (await evaluator.losses(flat, examples)).reduce((a, b) => a + b) / examples.length;
    assert.ok((await mean(result.flat)) < 0.8 * (await mean(job.start)));
    await evaluator.close();
  });

  it("gives the same bits on every run", async () => {
    assert.deepEqual(await train(job), await train(job));
  });

  it("gives the same bits on one thread and on two", async () => {
    assert.deepEqual(await train({ ...job, threads: 2 }), await train(job));
  });

  it("gives the same bits whether waiting threads sleep, as they do unless told otherwise, or keep their cores", async (t) => {
    const create = t.mock.method(InferenceSession, "create"); // only looked at
    const asleep = await train({ ...job, threads: 2 });
    assert.deepEqual(await train({ ...job, threads: 2, spinning: true }), asleep);
    const spins = create.mock.calls.map(({ arguments: [, options] }) =>
      JSON.stringify(options).includes('"intra_op.allow_spinning":"1"'),
    );
    assert.deepEqual(spins, [false, false, true, true]); // a graph for each of two lengths
  });

  it("gives the same bits on every run from weights that stay in their files, up to rounding those of packed ones", async () => {
    const [mapped, again, packed] = [
      await train({ ...job, weights: "mapped" }),
      await train({ ...job, weights: "mapped" }),
      await train(job),
    ];
    assert.deepEqual(again, mapped);
    assert.equal(mapped.graph, packed.graph);
    for (const [i, loss] of packed.losses.entries()) {
      assert.ok(Math.abs((mapped.losses[i] as number) - loss) < 1e-5 * loss, `step ${i}`);
    }
  });

  it("gives the same bits step by step and with many steps in one loop", async () => {
    const one = await train({ ...job, examples: short, stepsPerRun: 1 });
    const many = await train({ ...job, examples: short, stepsPerRun: 12 });
    assert.deepEqual(many, one);
  });

  it("depends on its seed, and its graph on the adapter and the batch", async () => {
    const result = await train({ ...job, examples: short, steps: 3 });
    const reseeded = await train({ ...job, examples: short, steps: 3, seed: "t" });
    assert.notDeepEqual(reseeded.flat, result.flat);
    assert.equal(reseeded.graph, result.graph);
    const other = await train({ ...job, examples: short, steps: 3, spec: { ...spec, seed: "other" } });
    assert.notEqual(other.graph, result.graph);
    assert.notEqual((await train({ ...job, examples: short, steps: 3, batch: 5 })).graph, result.graph);
  });

  it("stops between two runs when it is aborted", async () => {
    const abort = new AbortController();
    let last = 0;
    const onProgress = ({ step }: Progress) => {
      last = step;
      if (step >= 4) abort.abort(new Error("enough"));
    };
    await assert.rejects(train({ ...job, steps: 100, stepsPerRun: 2, onProgress, signal: abort.signal }), /enough/);
    assert.ok(last < 8, `${last}`);
  });

  it("refuses what cannot be trained", async () => {
    const refused = (change: Partial<TrainParameters>, message: RegExp) =>
      assert.rejects(
        train({ ...job, ...change }),
        (error) => error instanceof PermanentError && message.test(error.message),
      );
    await refused({ examples: [] }, /no example/);
    await refused({ start: new Float32Array(3) }, /3 numbers/);
    await refused({ steps: 0 }, /steps/);
    await refused({ batch: 1.5 }, /batch/);
    await refused({ learningRate: 0 }, /learning rate/);
    await refused({ learningRate: Number.NaN }, /learning rate/);
    await refused({ examples: [{ tokens: new Int32Array(600), promptLength: 1 }] }, /too long/);
    await refused({ examples: [{ tokens: Int32Array.of(1, 99), promptLength: 1 }] }, /token 99/);
  });

  it("stops with a clear word when the loss is no number any more", async () => {
    const start = new Float32Array(job.start.length).fill(1e30);
    await assert.rejects(train({ ...job, start }), /lower the learning rate/);
  });
});
