import type { Graph, Value } from "../graph/ir.ts";
import { add } from "../graph/rules/add.ts";
import { gather } from "../graph/rules/gather.ts";
import { gemm } from "../graph/rules/gemm.ts";
import { mul } from "../graph/rules/mul.ts";
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
  /** The low-rank change of a linear layer, if it has one: W + scale * B A, with A [rank, inputs] and B [rows, rank]. */
  adapter?: ((layer: number, target: Target) => { a: Value; b: Value; scale: number } | undefined) | undefined;
};

export type LlamaInput = {
  batch: number;
  length: number;
  /** int32 [batch * length]. */
  tokens: Value;
  /** Where rows hold several sequences: see `PackedBatch`. */
  packed?: { positions: Value; segments: Value } | undefined;
};

/**
 * Adds the forward pass of a Llama (Touvron et al. 2023) or Qwen2 (Yang et al. 2024): logits [batch * length, vocabulary] of the token that follows each
 * position. A position sees itself and those before it in its sequence, so padding at the end changes nothing before it.
 */
export function llama(
  graph: Graph,
  config: ModelConfig,
  { batch, length, tokens, packed }: LlamaInput,
  parameters: LlamaParameters,
): Value {
  const place = packed && { rows: batch, length, ...packed };
  const tables = place ? packedTables(graph, config, place) : rotaryTables(graph, length, config);
  const causal = causalMask(graph, length);
  const mask = place ? packedMask(graph, causal, place) : causal;
  const attend: Attend = (_, projections) => {
    const { q, k, v } = splitHeads(graph, config, { batch, length, tables }, projections);
    return attention(graph, config, { q, k, v, mask });
  };
  return outputs(graph, config, lastStates(graph, config, tokens, parameters, attend), parameters);
}

/** What a layer's attention makes of q [rows, heads * headSize], k and v [rows, kvHeads * headSize]: numbers of rows * heads * headSize. */
export type Attend = (layer: number, projections: { q: Value; k: Value; v: Value }) => Value;

/** The normed states [rows, hidden] behind the last layer, for tokens [rows]. */
export function lastStates(
  graph: Graph,
  config: ModelConfig,
  tokens: Value,
  { weight, adapter }: LlamaParameters,
  attend: Attend,
): Value {
  const { layers, normEpsilon, headSize, heads } = config;
  const rows = tokens.shape[0] as number;

  /** y = x Wᵀ (+ bias) (+ scale * (x Aᵀ) Bᵀ) */
  const linear = (x: Value, layer: number, target: Target): Value => {
    const addend = hasBias(config, target) ? weight(biasName(layer, target)) : undefined;
    const y = gemm(graph, x, weight(linearName(layer, target)), { transB: true, addend });
    const change = adapter?.(layer, target);
    if (change === undefined) return y;
    const narrow = gemm(graph, x, change.a, { transB: true }); // [rows, rank]
    return gemm(graph, narrow, change.b, { transB: true, alpha: change.scale, addend: y });
  };

  let x = gather(graph, weight(EMBEDDING), tokens); // [rows, hidden]
  for (let layer = 0; layer < layers; layer++) {
    const h = rmsNorm(graph, x, weight(attentionNorm(layer)), normEpsilon);
    const q = linear(h, layer, "q_proj");
    const k = linear(h, layer, "k_proj");
    const v = linear(h, layer, "v_proj");
    const mixed = attend(layer, { q, k, v });
    x = add(graph, x, linear(reshape(graph, mixed, [rows, heads * headSize]), layer, "o_proj"));

    const g = rmsNorm(graph, x, weight(feedForwardNorm(layer)), normEpsilon);
    const gated = mul(graph, silu(graph, linear(g, layer, "gate_proj")), linear(g, layer, "up_proj"));
    x = add(graph, x, linear(gated, layer, "down_proj"));
  }
  return rmsNorm(graph, x, weight(FINAL_NORM), normEpsilon);
}

/** Logits [rows, vocabulary] from states [rows, hidden]. */
export function outputs(graph: Graph, { tied }: ModelConfig, states: Value, { weight }: LlamaParameters): Value {
  return gemm(graph, states, weight(tied ? EMBEDDING : HEAD), { transB: true });
}
