import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeSafetensors } from "../learning/artifact/safetensors.ts";
import { sizeOf } from "../learning/graph/shapes.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../learning/model/adapter.ts";
import type { Sequence } from "../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../learning/model/checkpoint.ts";
import { parseConfig } from "../learning/model/config.ts";
import { openEvaluator } from "../learning/model/evaluator.ts";
import { TARGETS, weightShapes } from "../learning/model/weights.ts";
import { Stream } from "../learning/random.ts";
import { initialWeights } from "../learning/train/pretrainer.ts";
import { train } from "../learning/train/trainer.ts";
import type { Measurement } from "../tools/bench.ts";
import { root } from "../tools/files.ts";

/** Random weights serve: the arithmetic is the same. */
const SMALL = {
  model_type: "llama",
  vocab_size: 4096,
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  intermediate_size: 704,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
};

/** Speed of the training step and of judging, on the processor. */
export default async function training(): Promise<Measurement[]> {
  const tiny = await openCheckpoint(join(root, "models", "tiny"));
  const folder = await mkdtemp(join(tmpdir(), "flock-bench-"));
  try {
    const small = await randomCheckpoint(folder, JSON.stringify(SMALL));
    return [
      ...(await stepSpeed("tiny, rank 32, 32 x 16", tiny, { rank: 32, batch: 32, tokens: 13, threads: 1 })),
      ...(await stepSpeed("d 256, rank 8, 8 x 128", small, { rank: 8, batch: 8, tokens: 129, threads: 1 })),
      ...(await stepSpeed("d 256, rank 8, 8 x 128", small, { rank: 8, batch: 8, tokens: 129, threads: 2 })),
      await judgingSpeed(tiny),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Size = { rank: number; batch: number; tokens: number; threads: number };

async function stepSpeed(name: string, checkpoint: Checkpoint, size: Size): Promise<Measurement[]> {
  const spec = specOf(size.rank);
  const times: number[] = [];
  let last = Number.NaN;
  await train({
    ...{ checkpoint, spec, batch: size.batch, steps: 24, learningRate: 1e-3, seed: "bench", stepsPerRun: 4 },
    ...{ device: "cpu", threads: size.threads },
    start: zeroAdapter(checkpoint, spec),
    examples: randomSequences(checkpoint, 64, size.tokens),
    onProgress: () => {
      const now = performance.now();
      if (!Number.isNaN(last)) times.push((now - last) / 4);
      last = now;
    },
  });
  const best = Math.min(...times);
  const of = `${name}, ${size.threads} ${size.threads === 1 ? "thread" : "threads"}`;
  return [
    { name: `training step, ${of}`, value: best, unit: "ms" },
    { name: `trained positions, ${of}`, value: (1000 * size.batch * (size.tokens - 1)) / best, unit: "tokens/s" },
  ];
}

async function judgingSpeed(checkpoint: Checkpoint): Promise<Measurement> {
  const spec = specOf(32);
  const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
  const examples = randomSequences(checkpoint, 512, 13);
  const adapter = zeroAdapter(checkpoint, spec);
  const times: number[] = [];
  for (let i = 0; i < 8; i++) {
    const started = performance.now();
    await evaluator.losses(adapter, examples);
    times.push(performance.now() - started);
  }
  await evaluator.close();
  return { name: "losses of 512 examples, tiny, 1 thread", value: Math.min(...times), unit: "ms" };
}

function specOf(rank: number): AdapterSpec {
  return { rank, alpha: 2 * rank, targets: TARGETS, seed: "bench" };
}

function zeroAdapter({ config }: Checkpoint, spec: AdapterSpec): Float32Array {
  return new Float32Array(adapterSize(adapterLayout(config, spec)));
}

function randomSequences({ config }: Checkpoint, count: number, length: number): Sequence[] {
  const stream = new Stream("bench", "sequences");
  const tokens = () => Int32Array.from({ length }, () => stream.below(config.vocabulary));
  return Array.from({ length: count }, () => ({ tokens: tokens(), promptLength: 1 }));
}

async function randomCheckpoint(folder: string, configText: string): Promise<Checkpoint> {
  const config = parseConfig(configText);
  const weights = initialWeights(config, "bench");
  let position = 0;
  const tensors = weightShapes(config).map(({ name, shape }) => {
    const data = new Uint8Array(weights.buffer, 4 * position, 4 * sizeOf(shape));
    position += sizeOf(shape);
    return { name, dtype: "F32" as const, shape, data };
  });
  await writeFile(join(folder, "config.json"), configText);
  await writeFile(join(folder, "model.safetensors"), writeSafetensors(tensors));
  return openCheckpoint(folder);
}
