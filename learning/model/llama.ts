import type { Graph, Value } from "../graph/ir.ts";
import { add } from "../graph/rules/add.ts";
import { expand } from "../graph/rules/expand.ts";
import { gather } from "../graph/rules/gather.ts";
import { gemm } from "../graph/rules/gemm.ts";
import { matmul, transposeLast } from "../graph/rules/matmul.ts";
import { mul } from "../graph/rules/mul.ts";
import { reshape } from "../graph/rules/reshape.ts";
import { rmsNorm } from "../graph/rules/rmsNorm.ts";
import { silu } from "../graph/rules/silu.ts";
import { softmax } from "../graph/rules/softmax.ts";
import { transpose } from "../graph/rules/transpose.ts";
import type { ModelConfig } from "./config.ts";
import { type RotaryTables, rotary, rotaryTables } from "./rotary.ts";
import {
  attentionNorm,
  biasName,
  EMBEDDING,
  FINAL_NORM,
  feedForwardNorm,
  HEAD,
  hasBias,
  linearName,
  type Target,
} from "./weights.ts";

/** Where the numbers come from: a file, or a vector that is being trained. */
export type LlamaParameters = {
  weight: (name: string) => Value;
  /** The low-rank change of a linear layer, if it has one: W + scale * B A, with A [rank, inputs] and B [rows, rank]. */
  adapter?: ((layer: number, target: Target) => { a: Value; b: Value; scale: number } | undefined) | undefined;
};

export type LlamaInput = { batch: number; length: number /** int32 [batch * length]. */; tokens: Value };

/**
 * Adds the forward pass of a Llama (Touvron et al. 2023) or Qwen2 (Yang et al. 2024): logits [batch * length, vocabulary] of the token that follows each position. A position sees
 * itself and those before it, so padding at the end changes nothing before it.
 */
export function llama(
  graph: Graph,
  config: ModelConfig,
  { batch, length, tokens }: LlamaInput,
  parameters: LlamaParameters,
): Value {
  const { weight, adapter } = parameters;
  const { layers, normEpsilon, headSize, heads, tied } = config;
  const rows = batch * length;

  /** y = x Wᵀ (+ bias) (+ scale * (x Aᵀ) Bᵀ) */
  const linear = (x: Value, layer: number, target: Target): Value => {
    const addend = hasBias(config, target) ? weight(biasName(layer, target)) : undefined;
    const y = gemm(graph, x, weight(linearName(layer, target)), { transB: true, addend });
    const change = adapter?.(layer, target);
    if (change === undefined) return y;
    const narrow = gemm(graph, x, change.a, { transB: true }); // [rows, rank]
    return gemm(graph, narrow, change.b, { transB: true, alpha: change.scale, addend: y });
  };

  const tables = rotaryTables(graph, length, config);
  const mask = causalMask(graph, length);
  let x = gather(graph, weight(EMBEDDING), tokens); // [rows, hidden]
  for (let layer = 0; layer < layers; layer++) {
    const h = rmsNorm(graph, x, weight(attentionNorm(layer)), normEpsilon);
    const q = linear(h, layer, "q_proj");
    const k = linear(h, layer, "k_proj");
    const v = linear(h, layer, "v_proj");
    const mixed = attention(graph, config, { batch, length, q, k, v, tables, mask });
    x = add(graph, x, linear(reshape(graph, mixed, [rows, heads * headSize]), layer, "o_proj"));

    const g = rmsNorm(graph, x, weight(feedForwardNorm(layer)), normEpsilon);
    const gated = mul(graph, silu(graph, linear(g, layer, "gate_proj")), linear(g, layer, "up_proj"));
    x = add(graph, x, linear(gated, layer, "down_proj"));
  }
  const last = rmsNorm(graph, x, weight(FINAL_NORM), normEpsilon); // [rows, hidden]
  return gemm(graph, last, weight(tied ? EMBEDDING : HEAD), { transB: true });
}

type Attention = { batch: number; length: number; q: Value; k: Value; v: Value; tables: RotaryTables; mask: Value };

/** softmax(q kᵀ / sqrt(headSize) + mask) v, head by head: [batch, length, heads, headSize]. */
function attention(graph: Graph, config: ModelConfig, { batch, length, q, k, v, tables, mask }: Attention): Value {
  const { heads, kvHeads, headSize } = config;
  const split = (x: Value, count: number) =>
    transpose(graph, reshape(graph, x, [batch, length, count, headSize]), [0, 2, 1, 3]); // [batch, count, length, headSize]
  /** Each key-value head serves heads / kvHeads query heads. */
  const share = (x: Value): Value => {
    if (kvHeads === heads) return x;
    const apart = reshape(graph, x, [batch, kvHeads, 1, length, headSize]);
    const repeated = expand(graph, apart, [batch, kvHeads, heads / kvHeads, length, headSize]);
    return reshape(graph, repeated, [batch, heads, length, headSize]);
  };
  const queries = mul(graph, rotary(graph, split(q, heads), tables), graph.scalar(headSize ** -0.5, q));
  const keys = share(rotary(graph, split(k, kvHeads), tables));
  const scores = add(graph, matmul(graph, queries, transposeLast(graph, keys)), mask); // [batch, heads, length, length]
  return transpose(graph, matmul(graph, softmax(graph, scores), share(split(v, kvHeads))), [0, 2, 1, 3]);
}

/** [1, 1, length, length]: 0 where a position may look, a number that softmax turns into exactly 0 where it may not. */
function causalMask(graph: Graph, length: number): Value {
  const shape = [1, 1, length, length];
  if (length <= 512) {
    const numbers = Array.from({ length: length * length }, (_, k) => (k % length > Math.floor(k / length) ? -1e9 : 0));
    return graph.constant("float32", shape, numbers);
  }
  // A model holds no gigabytes of zeros: a long mask is made where it is used.
  const closed = graph.emit("Expand", [graph.constant("float32", [1], [-1e9]), graph.integers(shape)], { shape });
  return graph.emit("Trilu", [closed, graph.constant("int64", [], [1])], { shape, attributes: { upper: 1 } });
}
