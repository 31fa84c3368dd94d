import { type InferenceSession, Tensor } from "onnxruntime-node";
import { judgedTokens, packBatch, type Sequence } from "../model/batches.ts";
import type { AdamOptions } from "./adamw.ts";
import { rateAt, type Schedule } from "./schedule.ts";

/** What the optimiser carries from step to step: all parameters as one vector, the running means of gradient and square. */
export type OptimizerState = { parameters: Float32Array; mean: Float32Array; square: Float32Array };

/** The passes of a training: pass p is batch p % accumulate of step floor(p / accumulate). */
export type Plan = {
  examples: readonly Sequence[];
  /** The examples of each pass. */
  order: readonly (readonly number[])[];
  /** Examples a batch. */
  batch: number;
  /** Batches a step. */
  accumulate: number;
  steps: number;
  schedule: Schedule;
  adam: AdamOptions;
};

/** What the training graph takes for the passes from `first` to before `end`, all padded to `length`. */
export function passFeeds(plan: Plan, first: number, end: number, length: number): Record<string, Tensor> {
  return { ...batchFeeds(plan, first, end, length), ...scalarFeeds(plan, first, end) };
}

function batchFeeds(plan: Plan, first: number, end: number, length: number): Record<string, Tensor> {
  const { batch, accumulate } = plan;
  const size = batch * length;
  const shape = [end - first, size];
  const tokens = new Int32Array((end - first) * size);
  const labels = new Int32Array(tokens.length);
  const weights = new Float32Array(tokens.length);
  for (let pass = first; pass < end; pass++) {
    const start = pass - (pass % accumulate);
    const wholeStep = Array.from({ length: accumulate }, (_, i) => sequencesOf(plan, start + i)).flat();
    const packed = packBatch(sequencesOf(plan, pass), {
      ...{ rows: batch, length, mean: "token", total: judgedTokens(wholeStep) },
    });
    tokens.set(packed.tokens, (pass - first) * size);
    labels.set(packed.labels, (pass - first) * size);
    weights.set(packed.weights, (pass - first) * size);
  }
  return {
    tokens_all: new Tensor("int32", tokens, shape),
    labels_all: new Tensor("int32", labels, shape),
    weights_all: new Tensor("float32", weights, shape),
  };
}

function sequencesOf({ examples, order }: Plan, pass: number): Sequence[] {
  return (order[pass] as number[]).map((i) => examples[i] as Sequence);
}

function scalarFeeds({ accumulate, adam, schedule, steps }: Plan, first: number, end: number): Record<string, Tensor> {
  const count = end - first;
  const numbers = (f: (step: number) => number) =>
    Float32Array.from({ length: count }, (_, i) => f(Math.floor((first + i) / accumulate)));
  const perPass = (f: (step: number) => number) => new Tensor("float32", numbers(f), [count]);
  const feeds: Record<string, Tensor> = {
    steps: new Tensor("int64", BigInt64Array.of(BigInt(count)), []),
    rate_all: perPass((step) => rateAt(schedule, step, steps)),
    mean_correction_all: perPass((step) => 1 / (1 - adam.beta1 ** (step + 1))),
    square_correction_all: perPass((step) => 1 / (1 - adam.beta2 ** (step + 1))),
  };
  if (accumulate > 1) {
    const apply = Uint8Array.from({ length: count }, (_, i) => Number((first + i + 1) % accumulate === 0));
    feeds.apply_all = new Tensor("bool", apply, [count]);
  }
  return feeds;
}

/** The state as the graph takes it. `gradient` is what the passes of an unfinished step have summed up. */
export function stateFeeds(
  { parameters, mean, square }: OptimizerState,
  gradient: Float32Array | undefined,
): Record<string, Tensor> {
  const vector = (data: Float32Array) => new Tensor("float32", data, [data.length]);
  return {
    ...{ parameters_start: vector(parameters), mean_start: vector(mean), square_start: vector(square) },
    ...(gradient === undefined ? {} : { gradient_start: vector(gradient) }),
  };
}

/** The state as the graph gives it. */
export function stateOf(results: InferenceSession.ReturnType): OptimizerState {
  return {
    parameters: numbersOf(results, "parameters_end"),
    mean: numbersOf(results, "mean_end"),
    square: numbersOf(results, "square_end"),
  };
}

export function numbersOf(results: InferenceSession.ReturnType, name: string): Float32Array<ArrayBuffer> {
  return (results[name] as Tensor).data as Float32Array<ArrayBuffer>;
}
