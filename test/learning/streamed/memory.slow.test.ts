import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { packBatch, type Sequence } from "../../../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { streamedModel } from "../../../learning/streamed/streamedModel.ts";
import { examplesOf, type Family, families, spec, writeFamily } from "../../support/families.ts";

const parts = { groupWeights: 1, vocabularyRows: 20 };
const family = families.llama2 as Family;

setFlagsFromString("--expose-gc");
const gc: () => void = runInNewContext("gc");
/** Bytes of all arrays that something still holds. */
const held = () => {
  gc();
  gc(); // for the first may leave arrays to be swept later
  return process.memoryUsage().arrayBuffers;
};

async function withLayers<T>(layers: number, run: (checkpoint: Checkpoint) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "flock-"));
  try {
    await writeFamily(folder, { ...family, config: { ...family.config, num_hidden_layers: layers } });
    return await run(await openCheckpoint(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("the memory of a streamed step", () => {
  const examples = examplesOf(family);
  const shape = { batch: 2, length: 32 };
  const batchAt = (i: number) => {
    const rows = [0, 1].map((row) => examples[(2 * i + row) % examples.length] as Sequence);
    return packBatch(rows, { rows: 2, length: 32, mean: "token" });
  };

  /** The most bytes that were held before any of the runs of a step, beyond those from before the step. */
  const peak = (checkpoint: Checkpoint, rank: number, count: number) =>
    measured(checkpoint, rank, async (model, flat, note) => {
      const gradient = new Float32Array(flat.length);
      const batches = Array.from({ length: count }, (_, i) => batchAt(i));
      await note(() => model.addGradient(gradient, flat, shape, batches));
    });
  const judging = (checkpoint: Checkpoint, count: number) =>
    measured(checkpoint, 2, async (model, flat, note) => {
      const batches = Array.from({ length: count }, (_, i) => batchAt(i));
      await note(() => model.judge(flat, shape, batches));
    });

  async function measured(
    checkpoint: Checkpoint,
    rank: number,
    step: (
      model: ReturnType<typeof streamedModel>,
      flat: Float32Array,
      note: (run: () => Promise<unknown>) => Promise<void>,
    ) => Promise<void>,
  ): Promise<number> {
    let [most, watching] = [0, false];
    const { signal } = new AbortController();
    // It is asked before each run.
    signal.throwIfAborted = () => {
      if (watching) most = Math.max(most, held());
    };
    const large = { ...spec, rank };
    const model = streamedModel(checkpoint, large, { device: "cpu", threads: 1, parts, signal });
    try {
      const flat = new Float32Array(adapterSize(adapterLayout(checkpoint.config, large)));
      let before = 0;
      await step(model, flat, async (run) => {
        await run(); // loads the graphs
        watching = true;
        before = held();
        await run();
      });
      return most - before;
    } finally {
      await model.close();
    }
  }

  it("does not grow by a gradient of the factors a batch", async () => {
    await withLayers(2, async (checkpoint) => {
      const rank = 1024;
      const group = (4 * adapterSize(adapterLayout(checkpoint.config, { ...spec, rank }))) / 2;
      const grown = (await peak(checkpoint, rank, 10)) - (await peak(checkpoint, rank, 2));
      assert.ok(grown < group, `${grown} bytes more for 8 batches more, of ${group} bytes a gradient`);
    });
  });

  it("grows by a batch's borders and one gradient by a border, for whose sake the one before it goes", async () => {
    await withLayers(2, async (checkpoint) => {
      const numbers = shape.batch * shape.length * checkpoint.config.hidden;
      const [few, many] = [2, 14];
      const grown = ((await peak(checkpoint, 2, many)) - (await peak(checkpoint, 2, few))) / (many - few);
      // Three borders in float16, and what the output layer makes of the last: float32 in the place of float16.
      const most = 2 * numbers * 2 + 4 * numbers + 4 * shape.batch * shape.length;
      assert.ok(grown < 1.1 * most, `${grown} bytes a batch instead of ${most}`);
    });
  });

  it("is, in judging, one border a batch and what was judged", async () => {
    await withLayers(4, async (checkpoint) => {
      const positions = shape.batch * shape.length;
      const [few, many] = [2, 14];
      const grown = ((await judging(checkpoint, many)) - (await judging(checkpoint, few))) / (many - few);
      const most = 2 * positions * checkpoint.config.hidden + 8 * positions;
      assert.ok(grown < 1.1 * most, `${grown} bytes a batch instead of ${most}`);
    });
  });
});

describe("the digest of a streamed model's graphs", () => {
  const digested = (layers: number) =>
    withLayers(layers, async (checkpoint) => {
      const model = streamedModel(checkpoint, { ...spec, rank: 1024 }, { device: "cpu", threads: 1, parts });
      const before = held();
      let [most, turns, done] = [0, 0, false];
      const digest = model.digest({ batch: 1, length: 16 }).finally(() => {
        done = true;
      });
      while (!done) {
        most = Math.max(most, held() - before);
        turns++;
        await setImmediate();
      }
      assert.match(await digest, /^[0-9a-f]{64}$/);
      await model.close();
      return { most, turns };
    });

  it("has one of them in memory at a time, however many layers there are, and lets others have their turn after each", async () => {
    const few = await digested(2);
    const many = await digested(12);
    assert.ok(many.most < 1.5 * few.most, `${many.most} bytes with 12 layers, ${few.most} with 2`);
    assert.ok(many.turns >= 2 * 12 + 3, `${many.turns} turns`);
  });
});
