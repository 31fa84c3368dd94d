import { join } from "node:path";
import { type AdapterSpec, adapterLayout, factorA, factorAToFloat } from "../../learning/model/adapter.ts";
import type { Sequence } from "../../learning/model/batches.ts";
import { type ModelConfig, parseConfig } from "../../learning/model/config.ts";
import { TARGETS } from "../../learning/model/weights.ts";
import { Stream } from "../../learning/random.ts";
import { type StoredDtype, writeRandomCheckpoint } from "./randomCheckpoint.ts";

/** Where PyTorch's numbers are, one file a family; see the README above it. */
export const familiesFolder = join(import.meta.dirname, "..", "fixtures", "torch", "families");

export type Family = { config: object; dtype?: StoredDtype; shards?: number; longest: number };

const common = {
  ...{ vocab_size: 48, hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 40 },
  ...{ max_position_embeddings: 64, rms_norm_eps: 1e-5, hidden_act: "silu", eos_token_id: 2 },
};
const llama = { ...common, model_type: "llama", architectures: ["LlamaForCausalLM"] };
const qwen2 = { ...common, model_type: "qwen2", architectures: ["Qwen2ForCausalLM"], rms_norm_eps: 1e-6 };

/** A small random model of every kind that we compute. `longest` is the length of its longest example. */
export const families: Record<string, Family> = {
  llama2: { config: { ...llama, tie_word_embeddings: false }, longest: 30 },
  llama3: {
    config: {
      ...{ ...llama, num_key_value_heads: 2, head_dim: 8, tie_word_embeddings: true, max_position_embeddings: 640 },
      rope_theta: 500,
      rope_scaling: {
        ...{ rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
        original_max_position_embeddings: 64, // so that one pair is fast, one between, and two slow
      },
    },
    longest: 560,
  },
  "llama-linear-f16": {
    config: {
      ...{ ...llama, num_key_value_heads: 1, attention_bias: true, tie_word_embeddings: false },
      rope_scaling: { type: "linear", factor: 4 },
    },
    ...{ dtype: "F16", shards: 2, longest: 30 },
  },
  qwen2: {
    config: {
      ...{ ...qwen2, num_key_value_heads: 2, tie_word_embeddings: true, rope_theta: 1e6 },
      ...{ use_sliding_window: false, sliding_window: 32, max_window_layers: 1 },
    },
    longest: 30,
  },
  "qwen2.5-bf16": {
    config: { ...qwen2, num_key_value_heads: 4, tie_word_embeddings: false, rope_theta: 1e6 },
    ...{ dtype: "BF16", shards: 3, longest: 30 },
  },
};

export const spec: AdapterSpec = { rank: 2, alpha: 4, targets: [...TARGETS], seed: "families" };
export const job = { steps: 20, batch: 4, seed: "families", learningRate: 5e-3, weightDecay: 0.01 };

/** A training with all that trainers are used to: steps of several batches, clipping, a rising and falling rate, weight decay. */
export const recipe = {
  ...{ steps: 20, batch: 3, accumulate: 2, seed: "recipe", clipNorm: 0.5 },
  ...{ learningRate: 1e-2, warmup: 5, decay: "cosine" as const, weightDecay: 0.1 },
};

/** Writes a family's checkpoint. */
export function writeFamily(folder: string, { config, dtype, shards }: Family): Promise<void> {
  return writeRandomCheckpoint(folder, config, { dtype, shards, seed: "families" });
}

/** A dozen examples, one of them as long as the family says. */
export function examplesOf({ longest, config }: Family): Sequence[] {
  const { vocabulary } = parseConfig(JSON.stringify(config));
  const random = new Stream("families", "examples");
  return Array.from({ length: 12 }, (_, i) => {
    const length = i === 0 ? longest : 6 + random.below(20);
    const tokens = Int32Array.from({ length }, () => random.below(vocabulary));
    return { tokens, promptLength: 1 + random.below(length - 2) };
  });
}

/** The fixed factors A, and factors B to start from: not zero, for zero would hide mistakes. */
export function factorsOf(config: ModelConfig) {
  const random = new Stream("families", "factors");
  return adapterLayout(config, spec).map((tensor) => ({
    ...tensor,
    a: factorAToFloat(factorA(spec, tensor)),
    b: Float32Array.from({ length: tensor.rows * tensor.columns }, () => 0.1 * random.normal()),
  }));
}
