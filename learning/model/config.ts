import { z } from "zod";
import { PermanentError } from "../../protocol/errors.ts";

/** The shape of a Llama-style decoder (Touvron et al. 2023), in the words of this project. */
export type ModelConfig = {
  family: "llama";
  vocabulary: number;
  hidden: number;
  layers: number;
  heads: number;
  /** Fewer than `heads` with grouped-query attention (Ainslie et al. 2023). */
  kvHeads: number;
  headSize: number;
  feedForward: number;
  maxPositions: number;
  normEpsilon: number;
  ropeTheta: number;
  /** The output layer is the embedding. */
  tied: boolean;
  /** Ends a generated text; none if the folder names none. */
  endTokens: number[];
};

const count = (max: number) => z.int().min(1).max(max);

/** What `config.json` of a Hugging Face folder must say. Fields that do not change the arithmetic are ignored, the others must have the value that we compute with. */
const hfConfigSchema = z.object({
  model_type: z.literal("llama"),
  architectures: z.tuple([z.literal("LlamaForCausalLM")]).optional(),
  vocab_size: count(1 << 20),
  hidden_size: count(1 << 15),
  num_hidden_layers: count(256),
  num_attention_heads: count(512),
  num_key_value_heads: count(512).optional(),
  head_dim: count(1024).nullish(),
  intermediate_size: count(1 << 18),
  max_position_embeddings: count(1 << 24),
  rms_norm_eps: z.number().positive().max(0.1),
  rope_theta: z.number().positive().max(1e12).optional(),
  rope_parameters: z.object({ rope_theta: z.number().positive().max(1e12), rope_type: z.literal("default") }).nullish(),
  rope_scaling: z.null().optional(),
  tie_word_embeddings: z.boolean().optional(),
  hidden_act: z.literal("silu").optional(),
  attention_bias: z.literal(false).optional(),
  mlp_bias: z.literal(false).optional(),
  pretraining_tp: z.literal(1).optional(),
  quantization_config: z.undefined().optional(),
  eos_token_id: z.union([z.int().min(0), z.array(z.int().min(0))]).nullish(),
});

/**
 * Reads the text of a `config.json`.
 *
 * @throws PermanentError that names the file, the field and why it is refused: another family, another arithmetic, an absurd number.
 */
export function parseConfig(text: string, where = "config.json"): ModelConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new PermanentError(`${where} is not JSON.`, { cause });
  }
  const result = hfConfigSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new PermanentError(`${where}: ${issue?.path.join(".") || "the file"} cannot be used: ${issue?.message}.`);
  }
  const hf = result.data;
  const end = hf.eos_token_id ?? [];
  return checked(
    {
      family: "llama",
      vocabulary: hf.vocab_size,
      hidden: hf.hidden_size,
      layers: hf.num_hidden_layers,
      heads: hf.num_attention_heads,
      kvHeads: hf.num_key_value_heads ?? hf.num_attention_heads,
      headSize: hf.head_dim ?? hf.hidden_size / hf.num_attention_heads,
      feedForward: hf.intermediate_size,
      maxPositions: hf.max_position_embeddings,
      normEpsilon: hf.rms_norm_eps,
      ropeTheta: hf.rope_parameters?.rope_theta ?? hf.rope_theta ?? 10000,
      tied: hf.tie_word_embeddings ?? false,
      endTokens: typeof end === "number" ? [end] : end,
    },
    where,
  );
}

function checked(config: ModelConfig, where: string): ModelConfig {
  const { heads, kvHeads, headSize, hidden, endTokens, vocabulary } = config;
  if (heads % kvHeads !== 0) {
    throw new PermanentError(`${where}: ${heads} attention heads cannot share ${kvHeads} key-value heads evenly.`);
  }
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) {
    throw new PermanentError(`${where}: ${hidden} hidden units over ${heads} heads give no even head size.`);
  }
  if (endTokens.some((token) => token >= vocabulary)) {
    throw new PermanentError(`${where}: eos_token_id ${endTokens} lies outside the vocabulary of ${vocabulary}.`);
  }
  return config;
}
