import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Tensor } from "onnxruntime-node";
import { Graph } from "../../../learning/graph/ir.ts";
import { serialize } from "../../../learning/graph/serialize.ts";
import { openSession } from "../../../learning/graph/session.ts";
import { bucketFor, packBatch, type Sequence } from "../../../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { llama } from "../../../learning/model/llama.ts";
import { adapterParameters } from "../../../learning/model/parameters.ts";
import { batchOrder } from "../../../learning/train/order.ts";
import { gradientStep } from "../../../learning/train/step.ts";
import { type Trained, train } from "../../../learning/train/trainer.ts";
import {
  examplesOf,
  factorsOf,
  families,
  familiesFolder,
  job,
  recipe,
  spec,
  writeFamily,
} from "../../support/families.ts";

type Curve = { losses: number[]; parameters: number[] };
type Expected = Curve & { sha256: string; logits: number[]; gradient: number[]; recipe: Curve };

for (const [name, family] of Object.entries(families)) {
  describe(`${name} agrees with PyTorch`, () => {
    let folder: string;
    let checkpoint: Checkpoint;
    let expected: Expected;
    let start: Float32Array;
    const examples = examplesOf(family);
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "flock-"));
      await writeFamily(folder, family);
      checkpoint = await openCheckpoint(folder);
      expected = JSON.parse(await readFile(join(familiesFolder, `${name}.json`), "utf8"));
      start = Float32Array.from(factorsOf(checkpoint.config).flatMap(({ b }) => [...b]));
    });
    after(() => rm(folder, { recursive: true }));

    it("on the same weights", async () => {
      const hash = createHash("sha256");
      for (const file of checkpoint.files.filter((file) => file.endsWith(".safetensors"))) {
        hash.update(await readFile(join(folder, file)));
      }
      assert.equal(hash.digest("hex"), expected.sha256);
    });

    it("in the logits of an example", async () => {
      const tokens = (examples.at(-1) as Sequence).tokens.subarray(0, -1);
      const logits = await run(checkpoint, (graph, flat) => {
        const input = graph.input("tokens", "int32", [tokens.length]);
        const shape = { batch: 1, length: tokens.length, tokens: input };
        return llama(graph, checkpoint.config, shape, adapterParameters(graph, checkpoint, spec, flat));
      });
      const result = await logits({ tokens: new Tensor("int32", tokens, [tokens.length]) }, start);
      assertClose(result, expected.logits, 1e-5);
    });

    it("in every element of the adapter's gradient", async () => {
      const [first = []] = batchOrder(examples.length, job.steps, job.batch, job.seed);
      const sequences = first.map((i) => examples[i] as Sequence);
      const length = Math.max(...sequences.map((sequence) => bucketFor(sequence, checkpoint.config)));
      const gradient = await gradientOf(checkpoint, sequences, length, start);
      assertClose(gradient, expected.gradient, 1e-5 * Math.max(...expected.gradient.map(Math.abs)));
    });

    it("over 20 AdamW steps", async () => {
      const options = { device: "cpu", threads: 1 } as const;
      assertSameCurve(await train({ ...job, ...options, checkpoint, spec, start, examples }), expected);
    });

    it("over 20 steps of two batches in packed rows, clipped, with a rising and falling rate and weight decay", async () => {
      const options = { device: "cpu", threads: 1, packing: true } as const;
      assertSameCurve(await train({ ...recipe, ...options, checkpoint, spec, start, examples }), expected.recipe);
    });
  });
}

/** Loads a graph of the adapter's numbers and more; gives a function that feeds it. */
async function run(
  checkpoint: Checkpoint,
  build: (graph: Graph, flat: ReturnType<Graph["input"]>) => ReturnType<Graph["input"]>,
) {
  const graph = new Graph();
  const size = factorsOf(checkpoint.config).reduce((sum, { b }) => sum + b.length, 0);
  const output = build(graph, graph.input("flat", "float32", [size]));
  const options = { device: "cpu", threads: 1, folder: checkpoint.folder } as const;
  const session = await openSession(serialize(graph, [output]), options);
  return async (feeds: Record<string, Tensor>, flat: Float32Array) => {
    const results = await session.run({ ...feeds, flat: new Tensor("float32", flat, [size]) });
    return results[output.name]?.data as Float32Array;
  };
}

async function gradientOf(checkpoint: Checkpoint, sequences: Sequence[], length: number, start: Float32Array) {
  const trainable = {
    config: checkpoint.config,
    size: start.length,
    parameters: (graph: Graph, flat: ReturnType<Graph["input"]>) => adapterParameters(graph, checkpoint, spec, flat),
  };
  const shape = { batch: sequences.length, length };
  const options = { device: "cpu", threads: 1, folder: checkpoint.folder } as const;
  const session = await openSession(gradientStep(trainable, shape), options);
  const { tokens, labels, weights } = packBatch(sequences, { rows: shape.batch, length, mean: "token" });
  const positions = [shape.batch * length];
  const results = await session.run({
    tokens: new Tensor("int32", tokens, positions),
    labels: new Tensor("int32", labels, positions),
    weights: new Tensor("float32", weights, positions),
    parameters: new Tensor("float32", start, [start.length]),
  });
  return results[session.outputNames[1] as string]?.data as Float32Array;
}

function assertSameCurve({ losses, flat }: Trained, expected: Curve): void {
  assert.equal(losses.length, expected.losses.length);
  for (const [i, loss] of expected.losses.entries()) assertClose([losses[i] as number], [loss], 1e-5 * loss);
  assertClose(flat, expected.parameters, 1e-5);
}

function assertClose(actual: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  assert.equal(actual.length, wanted.length);
  for (const [i, value] of wanted.entries()) {
    const difference = Math.abs((actual[i] as number) - value);
    assert.ok(difference <= tolerance, `number ${i}: ${actual[i]} instead of ${value}`);
  }
}
