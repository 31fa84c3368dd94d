import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { Tensor } from "onnxruntime-node";
import { openSession } from "../../../learning/graph/session.ts";
import { packBatch, type Sequence } from "../../../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { adapterParameters, fullParameters } from "../../../learning/model/parameters.ts";
import { modelSize, pretrain } from "../../../learning/train/pretrainer.ts";
import { gradientStep, type Trainable } from "../../../learning/train/step.ts";
import { train } from "../../../learning/train/trainer.ts";
import { readWeights } from "../../support/weights.ts";

/** Made by PyTorch; see the README there. */
const folder = join(import.meta.dirname, "..", "..", "fixtures", "torch");

type Settings = { learningRate: number; weightDecay: number; beta2?: number; clipNorm?: number };
type Inputs = {
  spec: { rank: number; alpha: number; targets: string[]; seed: string };
  steps: number;
  batch: number;
  seed: string;
  adapter: Settings;
  full: Settings;
  examples: { tokens: number[]; promptLength: number }[];
  order: number[][];
  factors: { rows: number; columns: number; b: number[] }[];
};
type Expected = { losses: number[]; gradient: number[]; norm: number };

let checkpoint: Checkpoint;
let inputs: Inputs;
let expected: { adapter: Expected; full: Expected };
let examples: Sequence[];
let startOfB: Float32Array;
let weights: Float32Array;

before(async () => {
  const json = async (file: string) => JSON.parse(await readFile(join(folder, file), "utf8"));
  checkpoint = await openCheckpoint(folder);
  inputs = await json("inputs.json");
  expected = await json("expected.json");
  examples = inputs.examples.map(({ tokens, promptLength }) => ({ tokens: Int32Array.from(tokens), promptLength }));
  startOfB = Float32Array.from(inputs.factors.flatMap(({ b }) => b));
  weights = await readWeights(checkpoint);
});

describe("training agrees with PyTorch", () => {
  it("over 20 AdamW steps of an adapter on a frozen base", async () => {
    const { spec, steps, batch, seed, adapter } = inputs;
    const result = await train({
      ...adapter,
      ...{ checkpoint, spec, start: startOfB, examples, steps, batch, seed, device: "cpu", threads: 1 },
    });
    assertClose(result.losses, expected.adapter.losses, 1e-5);
    assertClose([norm(result.flat)], [expected.adapter.norm], 1e-5);
  });

  it("over 20 AdamW steps of all weights with gradients clipped", async () => {
    const { steps, batch, seed, full } = inputs;
    const { learningRate: rate, ...adam } = full;
    const result = await pretrain({
      ...{ config: checkpoint.config, start: weights, examples, steps, batch, seed, device: "cpu", threads: 1 },
      ...{ schedule: { rate }, adam },
    });
    assertClose(result.losses, expected.full.losses, 1e-5);
    assertClose([norm(result.parameters)], [expected.full.norm], 1e-5);
  });

  it("in every element of the adapter's gradient", async () => {
    const { spec } = inputs;
    const size = startOfB.length;
    const trainable: Trainable = {
      config: checkpoint.config,
      size,
      parameters: (graph, flat) => adapterParameters(graph, checkpoint, spec, flat),
    };
    assertClose(await gradientOf(trainable, startOfB), expected.adapter.gradient, 1e-5);
  });

  it("in every element of the gradient of all weights", async () => {
    const trainable: Trainable = {
      config: checkpoint.config,
      size: modelSize(checkpoint.config),
      parameters: (graph, flat) => fullParameters(graph, checkpoint.config, flat),
    };
    assertClose(await gradientOf(trainable, weights), expected.full.gradient, 1e-5);
  });
});

/** The gradient of the first batch. */
async function gradientOf(trainable: Trainable, parameters: Float32Array): Promise<Float32Array> {
  const shape = { batch: inputs.batch, length: 16 };
  const session = await openSession(gradientStep(trainable, shape), {
    ...{ device: "cpu", threads: 1, folder: checkpoint.folder },
  });
  const sequences = (inputs.order[0] as number[]).map((i) => examples[i] as Sequence);
  const batch = packBatch(sequences, { rows: shape.batch, length: shape.length, mean: "token" });
  const positions = [shape.batch * shape.length];
  const results = await session.run({
    tokens: new Tensor("int32", batch.tokens, positions),
    labels: new Tensor("int32", batch.labels, positions),
    weights: new Tensor("float32", batch.weights, positions),
    parameters: new Tensor("float32", parameters, [trainable.size]),
  });
  return results[session.outputNames[1] as string]?.data as Float32Array;
}

/** Differences measured against the largest number, as small elements carry the rounding of large ones. */
function assertClose(actual: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  assert.equal(actual.length, wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries()) {
    const difference = Math.abs((actual[i] as number) - value) / largest;
    assert.ok(difference <= tolerance, `number ${i}: ${actual[i]} instead of ${value}`);
  }
}

function norm(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}
