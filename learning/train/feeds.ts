import { type InferenceSession, Tensor } from "onnxruntime-node";
import { type Batch, judgedTokens, packBatch, type Sequence } from "../model/batches.ts";
import { type Layout, layOut } from "../model/packing.ts";
import type { AdamOptions, AdamStep } from "./adamw.ts";
import { rateAt, type Schedule } from "./schedule.ts";

/** Numbers of a step: see `AdamStep`. */
export type AdamScalars = Record<keyof AdamStep, number>;

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
  /** How the examples of a pass share rows, where they do. */
  layoutOf?: ((pass: number) => Layout) | undefined;
};

/** What the training graph takes for the passes from `first` to before `end`, all of one shape: `length` positions a row. */
export function passFeeds(plan: Plan, first: number, end: number, length: number): Record<string, Tensor> {
  return { ...batchFeeds(plan, first, end, length), ...scalarFeeds(plan, first, end) };
}

function batchFeeds(plan: Plan, first: number, end: number, length: number): Record<string, Tensor> {
  const batches = Array.from({ length: end - first }, (_, i) => batchOf(plan, first + i, length));
  const names = Object.keys(batches[0] ?? {}) as (keyof Batch)[];
  return Object.fromEntries(names.map((name) => [`${name}_all`, stacked(batches.map((batch) => batch[name]))]));
}

/** One pass's batch. Its weights are shares of the whole step's completion tokens. */
export function batchOf(plan: Plan, pass: number, length: number): Batch {
  const { batch, accumulate, layoutOf } = plan;
  const start = pass - (pass % accumulate);
  const wholeStep = Array.from({ length: accumulate }, (_, i) => sequencesOf(plan, start + i)).flat();
  const total = judgedTokens(wholeStep);
  const sequences = sequencesOf(plan, pass);
  if (layoutOf !== undefined) return layOut(sequences, layoutOf(pass), total);
  return packBatch(sequences, { rows: batch, length, mean: "token", total });
}

/** Vectors of one length as a matrix, one a row. */
function stacked(rows: readonly (Int32Array | Float32Array)[]): Tensor {
  const [first] = rows as [Int32Array | Float32Array];
  const size = rows.length * first.length;
  const all = first instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
  for (const [i, row] of rows.entries()) all.set(row, i * first.length);
  return new Tensor(all, [rows.length, first.length]);
}

export function sequencesOf({ examples, order }: Plan, pass: number): Sequence[] {
  return (order[pass] as number[]).map((i) => examples[i] as Sequence);
}

/** What the optimiser takes of a step, counted from 0. */
export function scalarsOf({ adam, schedule, steps }: Plan, step: number): AdamScalars {
  return {
    rate: rateAt(schedule, step, steps),
    meanCorrection: 1 / (1 - adam.beta1 ** (step + 1)),
    squareCorrection: 1 / (1 - adam.beta2 ** (step + 1)),
  };
}

function scalarFeeds(plan: Plan, first: number, end: number): Record<string, Tensor> {
  const { accumulate } = plan;
  const count = end - first;
  const scalars = Array.from({ length: count }, (_, i) => scalarsOf(plan, Math.floor((first + i) / accumulate)));
  const perPass = (name: keyof AdamScalars) =>
    new Tensor(
      "float32",
      Float32Array.from(scalars, (all) => all[name]),
      [count],
    );
  const feeds: Record<string, Tensor> = {
    steps: new Tensor("int64", BigInt64Array.of(BigInt(count)), []),
    rate_all: perPass("rate"),
    mean_correction_all: perPass("meanCorrection"),
    square_correction_all: perPass("squareCorrection"),
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
