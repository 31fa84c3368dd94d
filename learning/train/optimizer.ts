import { type InferenceSession, Tensor } from "onnxruntime-node";
import { Graph } from "../graph/ir.ts";
import { mul } from "../graph/rules/mul.ts";
import { serialize } from "../graph/serialize.ts";
import { openSession, type SessionOptions } from "../graph/session.ts";
import { type AdamOptions, adamw } from "./adamw.ts";
import type { AdamScalars, OptimizerState } from "./feeds.ts";

/** AdamW by itself, for steps that are not one graph. */
export type Optimizer = {
  /** The state after a step; nothing that is given changes. */
  step(state: OptimizerState, gradient: Float32Array, scalars: AdamScalars): Promise<OptimizerState>;
  close(): Promise<void>;
};

/** Numbers that are moved at once: the memory that a step takes does not grow with the adapter. */
const SLICE = 1 << 20;

/** Opens AdamW for vectors of `size` numbers. */
export function openOptimizer(size: number, adam: AdamOptions, options: SessionOptions): Optimizer {
  const sessions = new Map<number, Promise<InferenceSession>>();
  const sessionFor = (length: number): Promise<InferenceSession> => {
    const session = sessions.get(length) ?? openSession(optimizerStep(length, adam), options);
    sessions.set(length, session);
    return session;
  };
  return {
    async step({ parameters, mean, square }, gradient, { rate, meanCorrection, squareCorrection }) {
      const next = {
        parameters: new Float32Array(size),
        mean: new Float32Array(size),
        square: new Float32Array(size),
      };
      const scalar = (value: number) => new Tensor("float32", Float32Array.of(value), []);
      const factor = scalar(clipFactor(gradient, adam.clipNorm));
      for (let begin = 0; begin < size; begin += SLICE) {
        const end = Math.min(size, begin + SLICE);
        const slice = (vector: Float32Array) => new Tensor("float32", vector.subarray(begin, end), [end - begin]);
        const session = await sessionFor(end - begin);
        const results = await session.run({
          ...{ parameters: slice(parameters), mean: slice(mean), square: slice(square), gradient: slice(gradient) },
          ...{ factor, rate: scalar(rate) },
          ...{ mean_correction: scalar(meanCorrection), square_correction: scalar(squareCorrection) },
        });
        for (const [i, vector] of [next.parameters, next.mean, next.square].entries()) {
          vector.set(results[session.outputNames[i] as string]?.data as Float32Array, begin);
        }
      }
      return next;
    },
    async close() {
      for (const session of sessions.values()) await session.then((s) => s.release());
    },
  };
}

/** Takes `parameters`, `mean`, `square`, `gradient` [size] and the scalars `factor` (of the gradient), `rate` and corrections; gives the first three after the step. */
function optimizerStep(size: number, adam: AdamOptions): Uint8Array {
  const graph = new Graph();
  const vector = (name: string) => graph.input(name, "float32", [size]);
  const scalar = (name: string) => graph.input(name, "float32", []);
  const state = { parameters: vector("parameters"), mean: vector("mean"), square: vector("square") };
  const gradient = mul(graph, vector("gradient"), scalar("factor"));
  const step = {
    ...{ rate: scalar("rate"), meanCorrection: scalar("mean_correction") },
    squareCorrection: scalar("square_correction"),
  };
  const next = adamw(graph, state, gradient, step, { ...adam, clipNorm: undefined });
  return serialize(graph, [next.parameters, next.mean, next.square]);
}

/** min(1, most / (|g| + 1e-6)): what a gradient is shortened by. */
function clipFactor(gradient: Float32Array, most: number | undefined): number {
  if (most === undefined) return 1;
  const squares = gradient.reduce((sum, number) => sum + number * number, 0);
  return Math.min(1, most / (Math.sqrt(squares) + 1e-6));
}
