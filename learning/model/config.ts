import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { PermanentError } from "../../protocol/errors.ts";
import { BLOCK } from "../graph/fourBit.ts";
import { type RopeScaling, ropeFields } from "./ropeScaling.ts";

/** The shape of a Llama-style decoder (Touvron et al. 2023), in the words of this project. */
export type ModelConfig = {
  family: "llama" | "qwen2";
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
  ropeScaling?: RopeScaling | undefined;
  /** Which of attention's linear layers add a bias: none, the first three (Qwen2), or all four. */
  bias: "none" | "qkv" | "qkvo";
  /** The output layer is the embedding. */
  tied: boolean;
  /** The linear layers are stored in 4 bits: see `storedShapes`. */
  quantised?: boolean | undefined;
  /** Ends a generated text; none if the folder names none. */
  endTokens: number[];
};

/** The name of the one class of each family that we compute. */
const ARCHITECTURES = { llama: "LlamaForCausalLM", qwen2: "Qwen2ForCausalLM" } as const;

const count = (max: number) => z.int().min(1).max(max);
const only = <T extends boolean | number | string>(value: T, why: string) => z.literal(value, { error: () => why });
const dtype = z
  .enum(["float32", "float16", "bfloat16"], {
    error: ({ input }) => `weights in ${JSON.stringify(input)} are not supported, only float32, float16 and bfloat16`,
  })
  .nullish();

/** What `config.json` of a quantised base says of its numbers, as `quantization_config`. */
export const QUANTISATION = { quant_method: "flock", bits: 4, block: BLOCK } as const;

const quantisation = z.custom<typeof QUANTISATION>((value) => isDeepStrictEqual(value, QUANTISATION), {
  error: ({ input }) => {
    const method = (input as { quant_method?: unknown }).quant_method ?? "a method that is not named";
    return `weights quantised by ${JSON.stringify(method)} in this form are not supported, only ${JSON.stringify(QUANTISATION)}`;
  },
});

/** What `config.json` of a Hugging Face folder must say. Fields that do not change the arithmetic are ignored, the others must have the value that we compute with. */
const hfConfigSchema = z.object({
  model_type: z.enum(["llama", "qwen2"], {
    error: ({ input }) =>
      `the family ${JSON.stringify(input) ?? "is not named, and it"} is not supported, only llama (Llama 2 and 3) and qwen2 (Qwen2 and 2.5)`,
  }),
  architectures: z.tuple([z.string()]).optional(),
  vocab_size: count(1 << 20),
  hidden_size: count(1 << 15),
  num_hidden_layers: count(256),
  num_attention_heads: count(512),
  num_key_value_heads: count(512).nullish(),
  head_dim: count(1024).nullish(),
  intermediate_size: count(1 << 18),
  max_position_embeddings: count(1 << 24),
  rms_norm_eps: z.number().positive().max(0.1),
  ...ropeFields,
  partial_rotary_factor: only(1, "heads that turn in part are not supported").nullish(),
  tie_word_embeddings: z.boolean().optional(),
  hidden_act: only("silu", "the only activation supported is silu").optional(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: only(false, "biases in the feed-forward layers are not supported").nullish(),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: count(1 << 24).nullish(),
  max_window_layers: z.int().min(0).nullish(),
  layer_types: z.array(only("full_attention", "layers whose attention sees a window are not supported")).nullish(),
  torch_dtype: dtype,
  dtype,
  quantization_config: quantisation.nullish(),
  auto_map: z.null({ error: () => "a model with code of its own is not supported" }).optional(),
  eos_token_id: z.union([z.int().min(0), z.array(z.int().min(0)).max(64)]).nullish(),
});
type HfConfig = z.infer<typeof hfConfigSchema>;

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
    const message = issue?.message.replace(/^Invalid input: /, "");
    throw new PermanentError(`${where}: ${issue?.path.join(".") || "the file"} cannot be used: ${message}.`);
  }
  const hf = result.data;
  const fail = (field: string, why: string): never => {
    throw new PermanentError(`${where}: ${field} cannot be used: ${why}.`);
  };
  checkArithmetic(hf, fail);
  const { heads, kvHeads, headSize } = headsOf(hf, fail);
  const end = hf.eos_token_id ?? [];
  const endTokens = typeof end === "number" ? [end] : end;
  if (endTokens.some((token) => token >= hf.vocab_size)) {
    fail("eos_token_id", `${endTokens} lies outside the vocabulary of ${hf.vocab_size}`);
  }
  const rope = hf.rope_parameters ?? hf.rope_scaling;
  return {
    family: hf.model_type,
    vocabulary: hf.vocab_size,
    hidden: hf.hidden_size,
    layers: hf.num_hidden_layers,
    heads,
    kvHeads,
    headSize,
    feedForward: hf.intermediate_size,
    maxPositions: hf.max_position_embeddings,
    normEpsilon: hf.rms_norm_eps,
    ropeTheta: rope?.theta ?? hf.rope_theta ?? 10000,
    ...(rope?.scaling === undefined ? {} : { ropeScaling: rope.scaling }),
    bias: hf.model_type === "qwen2" ? "qkv" : hf.attention_bias ? "qkvo" : "none",
    tied: hf.tie_word_embeddings ?? false,
    ...(hf.quantization_config ? { quantised: true } : {}),
    endTokens,
  };
}

type Fail = (field: string, why: string) => never;

/** Refuses what would be computed in another way. */
function checkArithmetic(hf: HfConfig, fail: Fail): void {
  const [architecture] = hf.architectures ?? [];
  const known = ARCHITECTURES[hf.model_type];
  if (architecture !== undefined && architecture !== known) {
    fail("architectures", `the architecture ${JSON.stringify(architecture)} is not supported, only ${known}`);
  }
  if (hf.rope_parameters && hf.rope_scaling)
    fail("rope_scaling", "rope_parameters says the same, and only one may be there");
  if (hf.model_type === "qwen2" && hf.attention_bias === false) {
    fail("attention_bias", "a Qwen2 always has biases on q, k and v");
  }
  // Qwen2 always names a window; it counts from the layer `max_window_layers` on, and only if it is switched on. A Llama has no such switch.
  const windowed =
    hf.model_type === "qwen2"
      ? hf.use_sliding_window === true && (hf.max_window_layers ?? 0) < hf.num_hidden_layers
      : (hf.sliding_window ?? undefined) !== undefined;
  if (windowed) fail("sliding_window", "attention that sees a window only is not supported");
  if (hf.layer_types && hf.layer_types.length !== hf.num_hidden_layers) {
    fail("layer_types", `it names ${hf.layer_types.length} layers of ${hf.num_hidden_layers}`);
  }
}

function headsOf(hf: HfConfig, fail: Fail): { heads: number; kvHeads: number; headSize: number } {
  const heads = hf.num_attention_heads;
  const kvHeads = hf.num_key_value_heads ?? heads;
  const headSize = hf.head_dim ?? hf.hidden_size / heads;
  if (heads % kvHeads !== 0) {
    fail("num_key_value_heads", `${heads} attention heads cannot share ${kvHeads} key-value heads evenly`);
  }
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) {
    fail("hidden_size", `${hf.hidden_size} units over ${heads} heads give no even head size`);
  }
  return { heads, kvHeads, headSize };
}
