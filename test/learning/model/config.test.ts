import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig, QUANTISATION } from "../../../learning/model/config.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const llama = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  vocab_size: 100,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 128,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  torch_dtype: "float32",
};
const parse = (change: object) => parseConfig(JSON.stringify({ ...llama, ...change }), "the/config.json");

describe("a model's configuration", () => {
  it("is read from Hugging Face's fields, with their defaults", () => {
    assert.deepEqual(parse({ eos_token_id: [1, 2], num_key_value_heads: 2 }), {
      family: "llama",
      vocabulary: 100,
      hidden: 64,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      headSize: 16,
      feedForward: 128,
      maxPositions: 512,
      normEpsilon: 1e-5,
      ropeTheta: 10000,
      bias: "none",
      tied: false,
      endTokens: [1, 2],
    });
  });

  it("takes the rotary base from either place", () => {
    assert.equal(parse({ rope_theta: 5e5 }).ropeTheta, 5e5);
    assert.equal(parse({ rope_parameters: { rope_theta: 5e5, rope_type: "default" } }).ropeTheta, 5e5);
  });

  it("of a Qwen2 has biases on q, k and v, and may name a window that no layer uses", () => {
    const qwen2 = { model_type: "qwen2", architectures: ["Qwen2ForCausalLM"], sliding_window: 128 };
    const { family, bias } = parse(qwen2);
    assert.deepEqual({ family, bias }, { family: "qwen2", bias: "qkv" });
    const unused = [
      { use_sliding_window: false, max_window_layers: 1 },
      { use_sliding_window: true, max_window_layers: 2 },
      { layer_types: ["full_attention", "full_attention"] },
    ];
    for (const fields of unused) assert.doesNotThrow(() => parse({ ...qwen2, ...fields }));
  });

  it("of a Llama may ask for biases on all of attention's layers", () => {
    assert.equal(parse({ attention_bias: true }).bias, "qkvo");
  });

  it("takes the scaling of rotary positions from either place", () => {
    const llama3 = {
      ...{ rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
      original_max_position_embeddings: 8192,
    };
    const scaling = {
      ...{ type: "llama3", factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 8192 },
    };
    assert.deepEqual(parse({ rope_scaling: llama3 }).ropeScaling, scaling);
    const newer = parse({ rope_parameters: { ...llama3, rope_theta: 5e5 } });
    assert.deepEqual([newer.ropeScaling, newer.ropeTheta], [scaling, 5e5]);
    const linear = { type: "linear", factor: 2 };
    assert.deepEqual(parse({ rope_scaling: { type: "linear", factor: 2 } }).ropeScaling, linear);
    assert.equal(parse({ rope_scaling: { rope_type: "default" } }).ropeScaling, undefined);
  });

  it("says whether the linear layers are in 4 bits", () => {
    assert.equal(parse({ quantization_config: QUANTISATION }).quantised, true);
    assert.equal("quantised" in parse({ quantization_config: null }), false);
  });

  const qwen2 = { model_type: "qwen2", architectures: ["Qwen2ForCausalLM"] };
  const llama3 = {
    ...{ rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 1 },
    original_max_position_embeddings: 8192,
  };
  for (const [what, change, name] of [
    ["another family", { model_type: "mistral" }, /model_type cannot be used: the family "mistral" is not supported/],
    ["no family", { model_type: undefined }, /model_type/],
    [
      "another architecture",
      { architectures: ["LlamaForSequenceClassification"] },
      /architectures .* "LlamaForSequenceClassification" is not supported, only LlamaForCausalLM/,
    ],
    ["the architecture of another family", { ...qwen2, architectures: ["LlamaForCausalLM"] }, /architectures/],
    ["two architectures", { architectures: ["LlamaForCausalLM", "X"] }, /architectures/],
    ["code of its own", { auto_map: { AutoModel: "x.py" } }, /auto_map .* code of its own/],
    ["dynamic scaling", { rope_scaling: { type: "dynamic", factor: 2 } }, /the scaling "dynamic" is not supported/],
    ["YaRN", { rope_scaling: { rope_type: "yarn", factor: 4 } }, /the scaling "yarn" is not supported/],
    ["YaRN in the newer place", { rope_parameters: { rope_theta: 1e4, rope_type: "yarn" } }, /rope_parameters.*"yarn"/],
    ["a scaling without a name", { rope_scaling: { factor: 4 } }, /rope_scaling .* has no rope_type/],
    ["a scaling with two names", { rope_scaling: { type: "linear", rope_type: "llama3" } }, /differ/],
    ["linear scaling without a factor", { rope_scaling: { rope_type: "linear" } }, /needs a factor/],
    ["llama3 scaling without its bounds", { rope_scaling: { rope_type: "llama3", factor: 8 } }, /low_freq_factor/],
    ["llama3 scaling with its bounds the wrong way round", { rope_scaling: llama3 }, /low_freq_factor/],
    [
      "scaling in both places",
      { rope_scaling: { type: "default" }, rope_parameters: { rope_type: "default" } },
      /rope_scaling/,
    ],
    ["heads that turn in part", { partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
    ["a window", { sliding_window: 4096 }, /sliding_window/],
    [
      "a window that some layers use",
      { ...qwen2, use_sliding_window: true, sliding_window: 128, max_window_layers: 1 },
      /sliding_window/,
    ],
    ["a layer of another kind", { layer_types: ["full_attention", "sliding_attention"] }, /layer_types/],
    ["layers of another number", { layer_types: ["full_attention"] }, /layer_types/],
    ["a Qwen2 without biases", { ...qwen2, attention_bias: false }, /attention_bias/],
    ["biases in the feed-forward layers", { mlp_bias: true }, /mlp_bias/],
    ["weights in 8 bits", { torch_dtype: "float8_e4m3fn" }, /torch_dtype .*"float8_e4m3fn" are not supported/],
    ["weights in 8 bits in the newer place", { dtype: "float8_e4m3fn" }, /dtype/],
    ["another activation", { hidden_act: "gelu" }, /hidden_act/],
    [
      "weights quantised by others",
      { quantization_config: { quant_method: "gptq", bits: 4, group_size: 128 } },
      /quantization_config .* quantised by "gptq" in this form are not supported, only \{"quant_method":"flock"/,
    ],
    ["quantised weights in another form", { quantization_config: { ...QUANTISATION, bits: 8 } }, /quantization_config/],
    ["quantised weights and more", { quantization_config: { ...QUANTISATION, more: 1 } }, /quantization_config/],
    ["quantised weights without a method", { quantization_config: {} }, /quantization_config .* not named/],
    ["a quantisation that is none", { quantization_config: 4 }, /quantization_config/],
    ["no layers", { num_hidden_layers: 0 }, /num_hidden_layers/],
    ["half a layer", { num_hidden_layers: 1.5 }, /num_hidden_layers/],
    ["an absurd vocabulary", { vocab_size: 1e12 }, /vocab_size/],
    ["an absurd width", { hidden_size: 1e9 }, /hidden_size/],
    ["a missing number", { intermediate_size: undefined }, /intermediate_size/],
    ["a number that is none", { rms_norm_eps: "1e-5" }, /rms_norm_eps/],
    ["heads that cannot be shared", { num_key_value_heads: 3 }, /key-value heads/],
    ["an odd head size", { hidden_size: 60 }, /head size/],
    ["a head size that is no whole number", { hidden_size: 66 }, /head size/],
    ["an end token outside the vocabulary", { eos_token_id: 100 }, /eos_token_id/],
  ] as const) {
    it(`with ${what} is refused by name`, () => {
      assert.throws(
        () => parse(change),
        (error) =>
          error instanceof PermanentError && name.test(error.message) && /the\/config\.json/.test(error.message),
      );
    });
  }

  it("that is no JSON is refused", () => {
    assert.throws(() => parseConfig("{"), PermanentError);
    assert.throws(() => parseConfig("[]"), PermanentError);
  });
});
