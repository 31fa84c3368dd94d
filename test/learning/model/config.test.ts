import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../../../learning/model/config.ts";
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
      tied: false,
      endTokens: [1, 2],
    });
  });

  it("takes the rotary base from either place", () => {
    assert.equal(parse({ rope_theta: 5e5 }).ropeTheta, 5e5);
    assert.equal(parse({ rope_parameters: { rope_theta: 5e5, rope_type: "default" } }).ropeTheta, 5e5);
  });

  for (const [what, change, name] of [
    ["another family", { model_type: "qwen2" }, /model_type/],
    ["another architecture", { architectures: ["LlamaForSequenceClassification"] }, /architectures/],
    ["scaled rotary positions", { rope_scaling: { rope_type: "llama3", factor: 8 } }, /rope_scaling/],
    ["scaled rotary positions in the newer place", { rope_parameters: { rope_theta: 1e4, rope_type: "yarn" } }, /rope/],
    ["biases", { attention_bias: true }, /attention_bias/],
    ["another activation", { hidden_act: "gelu" }, /hidden_act/],
    ["quantised weights", { quantization_config: { bits: 4 } }, /quantization_config/],
    ["no layers", { num_hidden_layers: 0 }, /num_hidden_layers/],
    ["half a layer", { num_hidden_layers: 1.5 }, /num_hidden_layers/],
    ["an absurd vocabulary", { vocab_size: 1e12 }, /vocab_size/],
    ["an absurd width", { hidden_size: 1e9 }, /hidden_size/],
    ["a missing number", { intermediate_size: undefined }, /intermediate_size/],
    ["a number that is none", { rms_norm_eps: "1e-5" }, /rms_norm_eps/],
    ["heads that cannot be shared", { num_key_value_heads: 3 }, /key-value heads/],
    ["an odd head size", { hidden_size: 60 }, /head size/],
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
