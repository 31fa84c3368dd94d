import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { openSession } from "../learning/graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../learning/model/adapter.ts";
import { packBatch, type Sequence } from "../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../learning/model/checkpoint.ts";
import { forwardGraph, openEvaluator, POSITIONS } from "../learning/model/evaluator.ts";
import { TARGETS } from "../learning/model/weights.ts";
import { Stream } from "../learning/random.ts";
import type { OptionValues, Report } from "../tools/bench.ts";
import { writeRandomCheckpoint } from "./support/randomCheckpoint.ts";
import { median, wholeOption } from "./support/settings.ts";

export const options = { rounds: { type: "string" }, threads: { type: "string" } } as const;

const SIZE = { hidden: 256, layers: 4, heads: 8, feedForward: 704, vocabulary: 4096, positions: 128 };
const LENGTH = 128;
const EXAMPLES = 512;
const PROPOSALS = 8;
const spec: AdapterSpec = { rank: 8, alpha: 16, targets: TARGETS, seed: "bench" };

/**
 * How fast examples are judged, beside the same graph run with batches that are ready; and how long it takes to measure the head once and eight
 * proposals against it, with how many sessions.
 */
export default async function validateBench(given: OptionValues): Promise<Report> {
  const rounds = wholeOption(given, "rounds", 3, 1, 100);
  const threads = wholeOption(given, "threads", 2, 1, 256);
  const folder = await mkdtemp(join(tmpdir(), "flock-bench-"));
  try {
    await writeRandomCheckpoint(folder, SIZE);
    return await measure(await openCheckpoint(folder), rounds, threads);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(checkpoint: Checkpoint, rounds: number, threads: number): Promise<Report> {
  const random = new Stream("bench", "validate");
  const examples: Sequence[] = Array.from({ length: EXAMPLES }, () => ({
    tokens: Int32Array.from({ length: LENGTH + 1 }, () => random.below(SIZE.vocabulary)),
    promptLength: 1,
  }));
  const size = adapterSize(adapterLayout(checkpoint.config, spec));
  const adapters = Array.from({ length: 1 + PROPOSALS }, () =>
    Float32Array.from({ length: size }, () => 0.01 * random.normal()),
  );
  const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads });
  const bare = await openBare(checkpoint, examples, threads);
  const opened = countSessions();
  const head = adapters[0] as Float32Array;
  await evaluator.losses(head, examples.slice(0, POSITIONS / LENGTH)); // opens the graph
  await bare.run(head);

  const [ours, raw, whole]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    raw.push(await seconds(() => bare.run(head)));
    ours.push(await seconds(() => evaluator.losses(head, examples)));
    whole.push(
      await seconds(async () => {
        for (const adapter of adapters) await evaluator.losses(adapter, examples);
      }),
    );
  }
  const sessions = opened();
  await evaluator.close();
  await bare.close();

  const tokens = EXAMPLES * LENGTH;
  const [tokensPerSecond, rawTokensPerSecond] = [tokens / median(ours), tokens / median(raw)];
  const ratio = tokensPerSecond / rawTokensPerSecond;
  const secondsPerRound = median(whole);
  const passes = secondsPerRound / median(ours);
  return {
    lines: [
      `  ${tokensPerSecond.toFixed(0)} tokens/s judged, ${rawTokensPerSecond.toFixed(0)} by the graph alone: ${(100 * ratio).toFixed(1)} % (at least 90 %)`,
      `  ${secondsPerRound.toFixed(1)} s for the head and ${PROPOSALS} proposals on ${EXAMPLES} examples: ${passes.toFixed(2)} times one pass (${1 + PROPOSALS}: the head once)`,
      `  ${sessions} session opened for ${1 + PROPOSALS} adapters`,
      `  width ${SIZE.hidden}, ${SIZE.layers} layers, ${LENGTH} tokens an example, rank ${spec.rank}, ${threads} threads; medians of ${rounds} rounds, in turns`,
    ],
    json: { tokensPerSecond, rawTokensPerSecond, ratio, secondsPerRound, passes, sessions, threads },
  };
}

/** The evaluator's graph with all its batches laid out beforehand. */
async function openBare(checkpoint: Checkpoint, examples: readonly Sequence[], threads: number) {
  const rows = POSITIONS / LENGTH;
  const session = await openSession(forwardGraph(checkpoint, spec, rows, LENGTH), {
    ...{ device: "cpu", threads, folder: checkpoint.folder },
  });
  const batches = Array.from({ length: examples.length / rows }, (_, i) => {
    const { tokens, labels, weights } = packBatch(examples.slice(i * rows, (i + 1) * rows), {
      ...{ rows, length: LENGTH, mean: "example" },
    });
    return {
      tokens: new Tensor("int32", tokens, [POSITIONS]),
      labels: new Tensor("int32", labels, [POSITIONS]),
      weights: new Tensor("float32", weights, [POSITIONS]),
    };
  });
  return {
    async run(flat: Float32Array): Promise<void> {
      const adapter = new Tensor("float32", flat, [flat.length]);
      for (const batch of batches) await session.run({ ...batch, adapter });
    },
    close: () => session.release(),
  };
}

/** Counts the sessions that are opened from now on. */
function countSessions(): () => number {
  const create = InferenceSession.create;
  let count = 0;
  InferenceSession.create = ((...parameters: Parameters<typeof create>) => {
    count++;
    return create.apply(InferenceSession, parameters);
  }) as typeof create;
  return () => {
    InferenceSession.create = create;
    return count;
  };
}

async function seconds(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return (performance.now() - start) / 1000;
}
