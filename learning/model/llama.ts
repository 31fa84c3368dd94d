import type { Graph, Value } from "../graph/ir.ts";
import { add } from "../graph/rules/add.ts";
import { gather } from "../graph/rules/gather.ts";
import { gemm } from "../graph/rules/gemm.ts";
import { mul } from "../graph/rules/mul.ts";
import { type QuantisedMatrix, quantisedGemm } from "../graph/rules/quantisedGemm.ts";
import { reshape } from "../graph/rules/reshape.ts";
import { rmsNorm } from "../graph/rules/rmsNorm.ts";
import { silu } from "../graph/rules/silu.ts";
import { attention, causalMask, splitHeads } from "./attention.ts";
import type { ModelConfig } from "./config.ts";
import { packedMask, packedTables } from "./packing.ts";
import { rotaryTables } from "./rotary.ts";
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
  /** A linear layer's weight, if it is stored in 4 bits. */
  quantised?: ((name: string) => QuantisedMatrix | undefined) | undefined;
  /** The low-rank change of a linear layer, if it has one: W + scale * B A, with A [rank, inputs] and B [rows, rank]. */
  adapter?: ((layer: number, target: Target) => { a: Value; b: Value; scale: number } | undefined) | undefined;
};

/** `batch` rows of `length` positions. */
export type Rows = {
  batch: number;
  length: number;
  /** Where rows hold several sequences: see `PackedBatch`. */
  packed?: { positions: Value; segments: Value } | undefined;
};

/**
 * Adds the forward pass of a Llama (Touvron et al. 2023) or Qwen2 (Yang et al. 2024): logits [batch * length, vocabulary] of the token that follows each
 * position, for tokens int32 [batch * length]. A position sees itself and those before it in its sequence, so padding at the end changes nothing before it.
 */
export function llama(
  graph: Graph,
  config: ModelConfig,
  { tokens, ...rows }: Rows & { tokens: Value },
  parameters: LlamaParameters,
): Value {
  const attend = attendRows(graph, config, rows);
  return outputs(graph, config, lastStates(graph, config, tokens, parameters, attend), parameters);
}

/** What a layer's attention makes of q [rows, heads * headSize], k and v [rows, kvHeads * headSize]: numbers of rows * heads * headSize. */
export type Attend = (layer: number, projections: { q: Value; k: Value; v: Value }) => Value;

/** Attention within rows that are read from their beginning to their end. */
export function attendRows(graph: Graph, config: ModelConfig, { batch, length, packed }: Rows): Attend {
  const place = packed && { rows: batch, length, ...packed };
  const tables = place ? packedTables(graph, config, place) : rotaryTables(graph, length, config);
  const causal = causalMask(graph, length);
  const mask = place ? packedMask(graph, causal, place) : causal;
  return (_, projections) => {
    const { q, k, v } = splitHeads(graph, config, { batch, length, tables }, projections);
    return attention(graph, config, { q, k, v, mask });
  };
}

/** The normed states [rows, hidden] behind the last layer, for tokens [rows]. */
export function lastStates(
  graph: Graph,
  config: ModelConfig,
  tokens: Value,
  parameters: LlamaParameters,
  attend: Attend,
): Value {
  let x = embed(graph, tokens, parameters);
  for (let layer = 0; layer < config.layers; layer++) x = decoderLayer(graph, config, { x, layer }, parameters, attend);
  return finalNorm(graph, config, x, parameters);
}

/** The first layer's input [rows, hidden], for tokens [rows]. */
export function embed(graph: Graph, tokens: Value, { weight }: LlamaParameters): Value {
  return gather(graph, weight(EMBEDDING), tokens);
}

/** The output [rows, hidden] of a layer for its input x [rows, hidden]. */
export function decoderLayer(
  graph: Graph,
  config: ModelConfig,
  { x, layer }: { x: Value; layer: number },
  { weight, quantised, adapter }: LlamaParameters,
  attend: Attend,
): Value {
  const { normEpsilon, headSize, heads } = config;

  /** y = x Wᵀ (+ bias) (+ scale * (x Aᵀ) Bᵀ) */
  const linear = (x: Value, target: Target): Value => {
    const addend = hasBias(config, target) ? weight(biasName(layer, target)) : undefined;
    const name = linearName(layer, target);
    const codes = quantised?.(name);
    const y = codes
      ? quantisedGemm(graph, x, codes, { addend })
      : gemm(graph, x, weight(name), { transB: true, addend });
    const change = adapter?.(layer, target);
    if (change === undefined) return y;
    const narrow = gemm(graph, x, change.a, { transB: true }); // [rows, rank]
    return gemm(graph, narrow, change.b, { transB: true, alpha: change.scale, addend: y });
  };

  const h = rmsNorm(graph, x, weight(attentionNorm(layer)), normEpsilon);
  const q = linear(h, "q_proj");
  const k = linear(h, "k_proj");
  const v = linear(h, "v_proj");
  const mixed = reshape(graph, attend(layer, { q, k, v }), [x.shape[0] as number, heads * headSize]);
  const y = add(graph, x, linear(mixed, "o_proj"));

  const g = rmsNorm(graph, y, weight(feedForwardNorm(layer)), normEpsilon);
  const gated = mul(graph, silu(graph, linear(g, "gate_proj")), linear(g, "up_proj"));
  return add(graph, y, linear(gated, "down_proj"));
}

/** The states [rows, hidden] that the output layer reads. */
export function finalNorm(graph: Graph, { normEpsilon }: ModelConfig, x: Value, { weight }: LlamaParameters): Value {
  return rmsNorm(graph, x, weight(FINAL_NORM), normEpsilon);
}

/** Logits [rows, vocabulary] from states [rows, hidden]. */
export function outputs(graph: Graph, { tied }: ModelConfig, states: Value, { weight }: LlamaParameters): Value {
  return gemm(graph, states, weight(tied ? EMBEDDING : HEAD), { transB: true });
}
