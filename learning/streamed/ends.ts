import { pullBack } from "../graph/differentiate.ts";
import { Graph, type Value } from "../graph/ir.ts";
import { cast } from "../graph/rules/cast.ts";
import { gemm } from "../graph/rules/gemm.ts";
import { mul } from "../graph/rules/mul.ts";
import { reshape } from "../graph/rules/reshape.ts";
import { sub } from "../graph/rules/sub.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { finalNorm } from "../model/llama.ts";
import { frozenRows, frozenWeights, widened } from "../model/parameters.ts";
import { EMBEDDING, HEAD } from "../model/weights.ts";
import { border, STREAM_PARTS, type StreamParts, type StreamShape } from "./groups.ts";

/** The first border, of `tokens` int32 [batch * length]: only the rows of these tokens are read. */
export function embedForward(checkpoint: Checkpoint, { batch, length }: StreamShape) {
  const { vocabulary, hidden } = checkpoint.config;
  const graph = new Graph();
  const tokens = graph.input("tokens", "int32", [batch * length]);
  const table = frozenRows(graph, checkpoint, EMBEDDING, { first: 0, end: vocabulary });
  const picked = graph.emit("Gather", [table, tokens], { shape: [batch * length, hidden], attributes: { axis: 0 } });
  return { graph, outputs: [border(graph, widened(graph, picked))] };
}

/**
 * Judges the last border `x` by `labels` int32 [batch * length], the vocabulary part by part, so that no matrix of all logits ever exists. Gives `losses`
 * [n] in nats, the `normaliser` [n, 1] log(sum(exp(logits))), and the `likeliest` tokens int32 [n], n = batch * length.
 */
export function headForward(checkpoint: Checkpoint, shape: StreamShape, inParts: StreamParts = STREAM_PARTS) {
  const { graph, labels, states, parts, n } = lastStates(checkpoint, shape, inParts);
  const column = [n, 1];
  const [logSums, most, where]: [Value[], Value[], Value[]] = [[], [], []];
  let picked = graph.emit("Expand", [graph.scalar(0, states), graph.integers(column)], { shape: column });
  for (const { first, weight, size } of parts) {
    const logits = gemm(graph, states, weight(), { transB: true });
    const over = { shape: column, attributes: { keepdims: 1 } };
    const axes = graph.integers([1]);
    logSums.push(graph.emit("ReduceLogSumExp", [logits, axes], over));
    most.push(graph.emit("ReduceMax", [logits, axes], over));
    const arg = graph.emit("ArgMax", [logits], {
      ...{ dtype: "int64", shape: column, attributes: { axis: 1, keepdims: 1 } },
    });
    where.push(graph.emit("Add", [arg, graph.scalar(first, arg)], { shape: column }));
    const { index, inside } = place(graph, labels, first, size);
    const here = graph.emit("GatherElements", [logits, index], { shape: column, attributes: { axis: 1 } });
    picked = graph.emit("Where", [inside, here, picked], { dtype: "float32", shape: column });
  }
  const all = (values: Value[]) => graph.emit("Concat", values, { shape: [n, values.length], attributes: { axis: 1 } });
  const normaliser = graph.emit("ReduceLogSumExp", [all(logSums), graph.integers([1])], {
    ...{ shape: column, attributes: { keepdims: 1 } },
  });
  const best = graph.emit("ArgMax", [all(most)], {
    ...{ dtype: "int64", shape: column, attributes: { axis: 1, keepdims: 1 } },
  });
  const token = graph.emit("GatherElements", [all(where), best], { shape: column, attributes: { axis: 1 } });
  const losses = reshape(graph, sub(graph, normaliser, picked), [n]);
  return { graph, outputs: [losses, normaliser, reshape(graph, cast(graph, token, "int32"), [n])] };
}

/**
 * The gradient of sum(weights * losses) by the last border: takes what `headForward` takes, its `normaliser` [n, 1], and `weights` [n]. Gives that sum's
 * gradient by x, [n, hidden].
 */
export function headBackward(checkpoint: Checkpoint, shape: StreamShape, inParts: StreamParts = STREAM_PARTS) {
  const { graph, x, labels, states, parts, n } = lastStates(checkpoint, shape, inParts);
  const normaliser = graph.input("normaliser", "float32", [n, 1]);
  const weights = reshape(graph, graph.input("weights", "float32", [n]), [n, 1]);
  let gradient: Value | undefined;
  for (const { first, weight, size } of parts) {
    const matrix = weight();
    const logits = graph.emit("Gemm", [states, matrix], {
      ...{ shape: [n, size], attributes: { transA: 0, transB: 1, alpha: { float: 1 } } },
    });
    const softmax = graph.emit("Exp", [sub(graph, logits, normaliser)], { shape: [n, size] });
    const { index, inside } = place(graph, labels, first, size);
    const [minusOne, zero] = [graph.scalar(-1, states), graph.scalar(0, states)];
    const label = graph.emit("Where", [inside, minusOne, zero], { dtype: "float32", shape: [n, 1] });
    // One label a row, so no two additions meet.
    const difference = graph.emit("ScatterElements", [softmax, index, label], {
      ...{ shape: [n, size], attributes: { axis: 1, reduction: "add" } },
    });
    gradient = gemm(graph, mul(graph, difference, weights), matrix, { addend: gradient });
  }
  return { graph, outputs: pullBack(graph, states, gradient as Value, [x]) };
}

/** What lies behind the last layer, and the output layer in parts of `size` rows from `first` on. */
function lastStates(checkpoint: Checkpoint, { batch, length }: StreamShape, { vocabularyRows }: StreamParts) {
  const { config } = checkpoint;
  const n = batch * length;
  const graph = new Graph();
  const x = cast(graph, graph.input("x", "float16", [n, config.hidden]), "float32");
  graph.track(x);
  const labels = graph.emit("Reshape", [graph.input("labels", "int32", [n]), graph.integers([n, 1])], {
    shape: [n, 1],
  });
  const states = finalNorm(graph, config, x, { weight: frozenWeights(graph, checkpoint) });
  const parts = [];
  for (let first = 0; first < config.vocabulary; first += vocabularyRows) {
    const end = Math.min(config.vocabulary, first + vocabularyRows);
    const weight = () => widened(graph, frozenRows(graph, checkpoint, config.tied ? EMBEDDING : HEAD, { first, end }));
    parts.push({ first, size: end - first, weight });
  }
  return { graph, x, labels, states, parts, n };
}

/** Which column of a part each label is, [n, 1], and whether it is one at all. */
function place(graph: Graph, labels: Value, first: number, size: number): { index: Value; inside: Value } {
  const { shape } = labels;
  const from = graph.emit("Sub", [labels, graph.scalar(first, labels)], { shape });
  const index = graph.emit("Clip", [from, graph.scalar(0, labels), graph.scalar(size - 1, labels)], { shape });
  return { index, inside: graph.emit("Equal", [from, index], { dtype: "bool", shape }) };
}
