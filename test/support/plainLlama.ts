import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readHeader } from "../../learning/artifact/safetensors.ts";
import type { Sequence } from "../../learning/model/batches.ts";

/** A matrix [rows, columns] or a vector [rows], in float64. */
export type Plain = { shape: readonly number[]; numbers: Float64Array };

/** All tensors of safetensors files, whatever they hold, by name. */
export async function readTensors(files: readonly string[]): Promise<Map<string, Plain>> {
  const tensors = new Map<string, Plain>();
  for (const file of files) {
    const bytes = await readFile(file);
    for (const { name, dtype, shape, offset, bytes: length } of readHeader(bytes).tensors) {
      const { buffer } = Uint8Array.from(bytes.subarray(offset, offset + length));
      const upper = () => Uint32Array.from(new Uint16Array(buffer), (word) => word << 16).buffer;
      const numbers =
        dtype === "F16" ? new Float16Array(buffer) : new Float32Array(dtype === "BF16" ? upper() : buffer);
      tensors.set(name, { shape, numbers: Float64Array.from(numbers) });
    }
  }
  return tensors;
}

/** y = W x + b for one vector. */
function linear({ shape, numbers }: Plain, x: Float64Array, bias?: Plain): Float64Array {
  const [rows, inputs] = shape as [number, number];
  return Float64Array.from({ length: rows }, (_, r) => {
    let sum = bias?.numbers[r] ?? 0;
    for (let i = 0; i < inputs; i++) sum += (numbers[r * inputs + i] as number) * (x[i] as number);
    return sum;
  });
}

function normed(x: Float64Array, { numbers }: Plain, epsilon: number): Float64Array {
  const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(mean + epsilon)) * (numbers[i] as number));
}

const plus = (x: Float64Array, y: Float64Array) => x.map((value, i) => value + (y[i] as number));

export type HfConfig = {
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads?: number;
  head_dim?: number;
  hidden_size: number;
  rms_norm_eps: number;
  rope_theta?: number;
  rope_scaling?: { type?: string; factor: number };
  tie_word_embeddings?: boolean;
};

/**
 * The mean loss of a sequence's completion in nats a token, of a Llama or Qwen2 in float64 by the textbook: no graph, no runtime, nothing of ours. Knows
 * unscaled and linearly scaled positions. `adapter` gives what PEFT's files say: lora_A and lora_B by name, and the scale.
 */
export function plainLoss(
  config: HfConfig,
  weights: ReadonlyMap<string, Plain>,
  { tokens, promptLength }: Sequence,
  adapter?: { tensors: ReadonlyMap<string, Plain>; scale: number },
): number {
  const heads = config.num_attention_heads;
  const size = config.head_dim ?? config.hidden_size / heads;
  const shared = heads / (config.num_key_value_heads ?? heads);
  const of = (name: string) => weights.get(name) as Plain;
  const layerOf = (place: string, x: Float64Array): Float64Array => {
    const y = linear(of(`${place}.weight`), x, weights.get(`${place}.bias`));
    const a = adapter?.tensors.get(`base_model.model.${place}.lora_A.weight`);
    const b = adapter?.tensors.get(`base_model.model.${place}.lora_B.weight`);
    if (adapter === undefined || a === undefined || b === undefined) return y;
    return plus(
      y,
      linear(b, linear(a, x)).map((value) => adapter.scale * value),
    );
  };
  const factor = config.rope_scaling?.type === "linear" ? config.rope_scaling.factor : 1;
  const turned = (x: Float64Array, position: number): Float64Array =>
    x.map((value, i) => {
      const [at, half] = [i % size, size / 2];
      const angle = position / factor / (config.rope_theta ?? 10_000) ** ((2 * (at % half)) / size);
      const other = at < half ? -(x[i + half] as number) : (x[i - half] as number);
      return value * Math.cos(angle) + other * Math.sin(angle);
    });
  const head = (x: Float64Array, h: number) => x.subarray(h * size, (h + 1) * size);
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);

  const embedding = of("model.embed_tokens.weight");
  const read = [...tokens.subarray(0, -1)];
  let states = read.map((token) =>
    embedding.numbers.slice(token * config.hidden_size, (token + 1) * config.hidden_size),
  );
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    const inputs = states.map((x) => normed(x, of(`${at}.input_layernorm.weight`), config.rms_norm_eps));
    const q = inputs.map((x, position) => turned(layerOf(`${at}.self_attn.q_proj`, x), position));
    const k = inputs.map((x, position) => turned(layerOf(`${at}.self_attn.k_proj`, x), position));
    const v = inputs.map((x) => layerOf(`${at}.self_attn.v_proj`, x));
    states = states.map((x, position) => {
      const attended = new Float64Array(heads * size);
      for (let h = 0; h < heads; h++) {
        const from = Math.floor(h / shared);
        const scores = k
          .slice(0, position + 1)
          .map((key) => Math.exp(dot(head(q[position] as Float64Array, h), head(key, from)) / Math.sqrt(size)));
        const total = scores.reduce((sum, score) => sum + score, 0);
        const out = head(attended, h);
        for (const [i, score] of scores.entries()) {
          for (let d = 0; d < size; d++) {
            out[d] = (out[d] as number) + (score / total) * (head(v[i] as Float64Array, from)[d] as number);
          }
        }
      }
      const y = plus(x, layerOf(`${at}.self_attn.o_proj`, attended));
      const hidden = normed(y, of(`${at}.post_attention_layernorm.weight`), config.rms_norm_eps);
      const up = layerOf(`${at}.mlp.up_proj`, hidden);
      const gate = layerOf(`${at}.mlp.gate_proj`, hidden);
      const active = gate.map((value, i) => (value / (1 + Math.exp(-value))) * (up[i] as number));
      return plus(y, layerOf(`${at}.mlp.down_proj`, active));
    });
  }
  const output = config.tie_word_embeddings ? embedding : of("lm_head.weight");
  let loss = 0;
  for (let position = promptLength - 1; position < read.length; position++) {
    const last = normed(states[position] as Float64Array, of("model.norm.weight"), config.rms_norm_eps);
    const logits = linear(output, last);
    const most = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
    loss += most + Math.log(total) - (logits[tokens[position + 1] as number] as number);
  }
  return loss / (tokens.length - promptLength);
}

/** The safetensors files of a checkpoint. */
export function shardsOf(folder: string, files: readonly string[]): string[] {
  return files.filter((file) => file.endsWith(".safetensors")).map((file) => join(folder, file));
}
