import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { readHeader } from "../../../learning/artifact/safetensors.ts";
import { bucketFor, judgedTokens, packBatch, type Sequence } from "../../../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { layOut, packedLayout } from "../../../learning/model/packing.ts";
import { EMBEDDING } from "../../../learning/model/weights.ts";
import { layerGroups } from "../../../learning/streamed/groups.ts";
import { type StreamedModel, streamedModel } from "../../../learning/streamed/streamedModel.ts";
import { batchOrder } from "../../../learning/train/order.ts";
import { examplesOf, factorsOf, families, familiesFolder, job, spec, writeFamily } from "../../support/families.ts";

// Every layer alone, and the vocabulary of 48 in three parts.
const parts = { groupWeights: 1, vocabularyRows: 20 };
const options = { device: "cpu", threads: 1, parts } as const;

for (const [name, family] of Object.entries(families)) {
  describe(`${name}, one layer at a time`, () => {
    let folder: string;
    let checkpoint: Checkpoint;
    let model: StreamedModel;
    let flat: Float32Array;
    const examples = examplesOf(family);
    const [first = []] = batchOrder(examples.length, job.steps, job.batch, job.seed);
    const sequences = first.map((i) => examples[i] as Sequence);
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "flock-"));
      await writeFamily(folder, family);
      checkpoint = await openCheckpoint(folder);
      model = streamedModel(checkpoint, spec, options);
      flat = Float32Array.from(factorsOf(checkpoint.config).flatMap(({ b }) => [...b]));
    });
    after(async () => {
      await model.close();
      await rm(folder, { recursive: true });
    });

    const longest = () => Math.max(...sequences.map((sequence) => bucketFor(sequence, checkpoint.config)));

    it("has PyTorch's gradient, up to the rounding at the borders", async () => {
      const { gradient: expected } = JSON.parse(await readFile(join(familiesFolder, `${name}.json`), "utf8"));
      const shape = { batch: sequences.length, length: longest() };
      const batch = packBatch(sequences, { rows: shape.batch, length: shape.length, mean: "token" });
      const gradient = new Float32Array(flat.length);
      await model.addGradient(gradient, flat, shape, [batch]);
      assertClose(gradient, expected, 2e-3 * Math.max(...expected.map(Math.abs)));
    });

    it("has the same gradient of two batches as of one with all rows, and of packed rows", async () => {
      const length = longest();
      const total = judgedTokens(sequences);
      const whole = new Float32Array(flat.length);
      const shape = { batch: sequences.length, length };
      const [loss] = await model.addGradient(whole, flat, shape, [
        packBatch(sequences, { rows: sequences.length, length, mean: "token" }),
      ]);
      const most = Math.max(...whole.map(Math.abs));

      const half = sequences.length / 2;
      const halves = [sequences.slice(0, half), sequences.slice(half)];
      const batches = halves.map((half) => packBatch(half, { rows: half.length, length, mean: "token", total }));
      const summed = new Float32Array(flat.length);
      const losses = await model.addGradient(summed, flat, { batch: half, length }, batches);
      assertClose(summed, [...whole], 1e-5 * most);
      assert.ok(Math.abs(losses.reduce((sum, part) => sum + part, 0) - (loss as number)) < 1e-5);

      const layout = packedLayout(sequences, length);
      const packed = new Float32Array(flat.length);
      const shared = { batch: layout.rows, length: layout.length, packed: true };
      await model.addGradient(packed, flat, shared, [layOut(sequences, layout)]);
      assertClose(packed, [...whole], 1e-3 * most);
    });

    it("judges as the whole graph does", async () => {
      const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
      try {
        for (const sequence of sequences) {
          const length = bucketFor(sequence, checkpoint.config);
          const batch = packBatch([sequence], { rows: 1, length, mean: "example" });
          const [judged] = await model.judge(flat, { batch: 1, length }, [batch]);
          const loss = judged?.losses.reduce((sum, loss, i) => sum + loss * (batch.weights[i] as number), 0);
          const [expected] = await evaluator.losses(flat, [sequence]);
          assertClose([loss as number], [expected as number], 1e-3);
          const { tokens, promptLength } = sequence;
          const said = judged?.likeliest.subarray(promptLength - 1, tokens.length - 1);
          const right = said?.every((token, i) => token === tokens[promptLength + i]);
          assert.deepEqual([right], await evaluator.exactMatch(flat, [sequence]));
        }
      } finally {
        await evaluator.close();
      }
    });
  });
}

describe("a streamed step", () => {
  const family = families.llama2 as (typeof families)[string];
  const shape = { batch: 2, length: 32 };
  const batch = packBatch(examplesOf(family).slice(0, 2), { rows: 2, length: 32, mean: "token" });
  let folder: string;
  let checkpoint: Checkpoint;
  let flat: Float32Array;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-"));
    await writeFamily(folder, family);
    checkpoint = await openCheckpoint(folder);
    flat = Float32Array.from(factorsOf(checkpoint.config).flatMap(({ b }) => [...b]));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("that is cancelled in its middle ends there, before the next batch", async () => {
    const controller = new AbortController();
    let read = 0;
    const second = Object.defineProperty({ ...batch }, "labels", {
      get: () => {
        read++;
        controller.abort(new Error("enough"));
        return batch.labels;
      },
    });
    const third = Object.defineProperty({ ...batch }, "labels", { get: () => assert.fail("goes on") });
    const model = streamedModel(checkpoint, spec, { ...options, signal: controller.signal });
    try {
      const gradient = new Float32Array(flat.length);
      await assert.rejects(model.addGradient(gradient, flat, shape, [batch, second, third]), /enough/);
      assert.equal(read, 1);
      assert.ok(gradient.every((number) => number === 0));
    } finally {
      await model.close();
    }
  });

  it("stays finite where the numbers at a border are larger than float16 holds", async () => {
    const path = join(folder, "model.safetensors");
    const bytes = await readFile(path);
    const embedding = readHeader(bytes).tensors.find(({ name }) => name === EMBEDDING);
    assert.ok(embedding);
    for (let at = embedding.offset; at < embedding.offset + embedding.bytes; at += 4) {
      bytes.writeFloatLE(1e7 * bytes.readFloatLE(at), at);
    }
    await writeFile(path, bytes);
    const model = streamedModel(checkpoint, spec, options);
    try {
      const gradient = new Float32Array(flat.length);
      const [loss] = await model.addGradient(gradient, flat, shape, [batch]);
      assert.ok(Number.isFinite(loss), `the loss is ${loss}`);
      assert.ok(gradient.every(Number.isFinite));
      assert.ok(gradient.some((number) => number !== 0));
    } finally {
      await model.close();
    }
  });
});

describe("groups of layers", () => {
  it("hold as many layers as the limit allows, at least one, and all layers once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flock-"));
    try {
      await writeFamily(folder, families.llama2 as (typeof families)[string]);
      const { config } = await openCheckpoint(folder);
      const deep = { ...config, layers: 5 };
      const weights = 4 * 24 * 24 + 3 * 24 * 40; // of a layer
      const sizes = (groupWeights: number) => layerGroups(deep, { ...parts, groupWeights }).map((g) => g.end - g.first);
      assert.deepEqual(sizes(1), [1, 1, 1, 1, 1]);
      assert.deepEqual(sizes(2 * weights - 1), [1, 1, 1, 1, 1]);
      assert.deepEqual(sizes(2 * weights), [2, 2, 1]);
      assert.deepEqual(layerGroups(deep), [{ first: 0, end: 5 }]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function assertClose(actual: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  assert.equal(actual.length, wanted.length);
  for (const [i, value] of wanted.entries()) {
    const difference = Math.abs((actual[i] as number) - value);
    assert.ok(difference <= tolerance, `number ${i}: ${actual[i]} instead of ${value}, tolerance ${tolerance}`);
  }
}
