import type { Graph, Value } from "../graph/ir.ts";
import { add } from "../graph/rules/add.ts";
import { div } from "../graph/rules/div.ts";
import { mul } from "../graph/rules/mul.ts";
import { reduceSum } from "../graph/rules/reduceSum.ts";
import { reshape } from "../graph/rules/reshape.ts";
import { sqrt } from "../graph/rules/sqrt.ts";
import { sub } from "../graph/rules/sub.ts";

/** What stays the same over the steps. */
export type AdamOptions = {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Gradients longer than this are shortened to it. */
  clipNorm?: number | undefined;
};

export const ADAM_DEFAULTS: AdamOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** All parameters as one vector, with the running means of the gradient and of its square. */
export type AdamState = { parameters: Value; mean: Value; square: Value };

/** Scalars of this step t (from 1): the learning rate, 1 / (1 - beta1^t) and 1 / (1 - beta2^t). */
export type AdamStep = { rate: Value; meanCorrection: Value; squareCorrection: Value };

/**
 * One step of AdamW (Loshchilov and Hutter 2019, algorithm 2), as PyTorch computes it:
 *
 *     m' = b1 m + (1 - b1) g          v' = b2 v + (1 - b2) g^2
 *     p' = p - rate * (m' / (1 - b1^t) / (sqrt(v' / (1 - b2^t)) + epsilon) + decay * p)
 */
export function adamw(
  graph: Graph,
  { parameters, mean, square }: AdamState,
  gradient: Value,
  step: AdamStep,
  { beta1, beta2, epsilon, weightDecay, clipNorm }: AdamOptions,
): AdamState {
  const number = (value: number) => graph.scalar(value, parameters);
  const blend = (old: Value, fresh: Value, beta: number) =>
    add(graph, mul(graph, old, number(beta)), mul(graph, fresh, number(1 - beta)));

  const g = clipNorm === undefined ? gradient : clip(graph, gradient, clipNorm);
  const nextMean = blend(mean, g, beta1);
  const nextSquare = blend(square, mul(graph, g, g), beta2);
  const spread = add(graph, sqrt(graph, mul(graph, nextSquare, step.squareCorrection)), number(epsilon));
  const direction = div(graph, mul(graph, nextMean, step.meanCorrection), spread);
  const change = weightDecay === 0 ? direction : add(graph, direction, mul(graph, parameters, number(weightDecay)));
  return {
    parameters: sub(graph, parameters, mul(graph, change, step.rate)),
    mean: nextMean,
    square: nextSquare,
  };
}

/** g * min(1, most / (|g| + 1e-6)). */
function clip(graph: Graph, gradient: Value, most: number): Value {
  const squares = reshape(graph, reduceSum(graph, mul(graph, gradient, gradient), [0]), []);
  const norm = add(graph, sqrt(graph, squares), graph.scalar(1e-6, gradient));
  const ratio = div(graph, graph.scalar(most, gradient), norm);
  const factor = graph.emit("Min", [ratio, graph.scalar(1, gradient)], { shape: [] });
  return mul(graph, gradient, factor);
}
