import { differentiate } from "../graph/differentiate.ts";
import { joinFlat } from "../graph/flat.ts";
import { type Dtype, Graph, type Value } from "../graph/ir.ts";
import { type LoopParts, serializeLoop } from "../graph/loop.ts";
import { add } from "../graph/rules/add.ts";
import { crossEntropy } from "../graph/rules/crossEntropy.ts";
import { mul } from "../graph/rules/mul.ts";
import { reduceSum } from "../graph/rules/reduceSum.ts";
import { reshape } from "../graph/rules/reshape.ts";
import { serialize } from "../graph/serialize.ts";
import type { ModelConfig } from "../model/config.ts";
import { type LlamaParameters, llama } from "../model/llama.ts";
import { type AdamOptions, type AdamState, adamw } from "./adamw.ts";

/** What is trained: `size` numbers, and how the model's tensors come from that vector. */
export type Trainable = {
  config: ModelConfig;
  size: number;
  parameters: (graph: Graph, flat: Value) => LlamaParameters & { trained: Value[] };
};

/** Rows of the batch, positions of a row, and whether a row holds several sequences. */
export type StepShape = { batch: number; length: number; packed?: boolean | undefined };

/**
 * The training step as one ONNX model that takes any number of steps: forward, backward, AdamW. Takes the batches stacked as `tokens_all`,
 * `labels_all`, `weights_all` [steps, batch * length] (and `positions_all`, `segments_all` where rows are packed), the steps' scalars stacked, and
 * the state as `parameters_start`, `mean_start`, `square_start`; gives the state as `..._end`, and `losses` [steps].
 *
 * With `accumulate`, one pass of the loop takes one batch of a step: the gradients are summed in `gradient`, and the optimiser moves where
 * `apply_all` [steps] is true.
 */
export function trainingStep(
  trainable: Trainable,
  shape: StepShape,
  options: AdamOptions,
  how: StepForm = {},
): Uint8Array {
  const { graph, parts } = stepGraph(trainable, shape, options, how);
  return serializeLoop(graph, parts);
}

export type StepForm = { accumulate?: boolean | undefined };

/** One pass of the loop, and how passes follow each other. */
export function stepGraph(
  trainable: Trainable,
  shape: StepShape,
  options: AdamOptions,
  { accumulate = false }: StepForm = {},
): { graph: Graph; parts: LoopParts } {
  const graph = new Graph();
  const vector = [trainable.size];
  const state = {
    parameters: graph.input("parameters", "float32", vector),
    mean: graph.input("mean", "float32", vector),
    square: graph.input("square", "float32", vector),
  };
  const step = {
    rate: graph.input("rate", "float32", []),
    meanCorrection: graph.input("mean_correction", "float32", []),
    squareCorrection: graph.input("square_correction", "float32", []),
  };
  const batch = batchInputs(graph, shape);
  const { loss, gradient } = lossAndGradient(graph, trainable, shape, batch, state.parameters);
  const parts = (next: AdamState): LoopParts => ({
    perStep: [...Object.values(batch), ...Object.values(step)],
    carried: [
      { before: state.parameters, after: next.parameters },
      { before: state.mean, after: next.mean },
      { before: state.square, after: next.square },
    ],
    collected: { losses: loss },
  });
  if (!accumulate) return { graph, parts: parts(adamw(graph, state, gradient, step, options)) };

  const apply = graph.input("apply", "bool", []);
  const before = graph.input("gradient", "float32", vector);
  const sum = add(graph, before, gradient);
  const moved = adamw(graph, state, sum, step, options);
  const choose = (yes: Value, no: Value) => graph.emit("Where", [apply, yes, no], { dtype: "float32", shape: vector });
  const { perStep, carried, collected } = parts({
    parameters: choose(moved.parameters, state.parameters),
    mean: choose(moved.mean, state.mean),
    square: choose(moved.square, state.square),
  });
  const after = choose(graph.scalar(0, sum), sum);
  return { graph, parts: { perStep: [...perStep, apply], carried: [...carried, { before, after }], collected } };
}

/** The loss and its gradient alone: takes `tokens`, `labels`, `weights` [batch * length] and `parameters`; its outputs are those two, in order. */
export function gradientStep(trainable: Trainable, shape: StepShape): Uint8Array {
  const graph = new Graph();
  const parameters = graph.input("parameters", "float32", [trainable.size]);
  const { loss, gradient } = lossAndGradient(graph, trainable, shape, batchInputs(graph, shape), parameters);
  return serialize(graph, [loss, gradient]);
}

type BatchInputs = { tokens: Value; labels: Value; weights: Value; positions?: Value; segments?: Value };

function batchInputs(graph: Graph, { batch, length, packed = false }: StepShape): BatchInputs {
  const numbers = (name: string, dtype: Dtype) => graph.input(name, dtype, [batch * length]);
  return {
    tokens: numbers("tokens", "int32"),
    labels: numbers("labels", "int32"),
    weights: numbers("weights", "float32"),
    ...(packed ? { positions: numbers("positions", "int32"), segments: numbers("segments", "int32") } : {}),
  };
}

/** loss [] = sum of weight * cross entropy over all positions; gradient [size]. */
function lossAndGradient(
  graph: Graph,
  { config, parameters }: Trainable,
  shape: StepShape,
  { tokens, labels, weights, positions, segments }: BatchInputs,
  flat: Value,
): { loss: Value; gradient: Value } {
  const model = parameters(graph, flat);
  const { batch, length } = shape;
  const packed = positions && segments && { positions, segments };
  const logits = llama(graph, config, { batch, length, tokens, packed }, model);
  const weighted = mul(graph, crossEntropy(graph, logits, labels), weights);
  const loss = reshape(graph, reduceSum(graph, weighted, [0]), []);
  return { loss, gradient: joinFlat(graph, differentiate(graph, loss, model.trained)) };
}
