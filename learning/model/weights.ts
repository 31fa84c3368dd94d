import type { ModelConfig } from "./config.ts";

/** The linear layers that an adapter can change, in canonical order. */
export const TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
export type Target = (typeof TARGETS)[number];

export type WeightShape = { name: string; shape: number[] };

/** Outputs and inputs of a linear layer: its weight is [rows, inputs]. */
export function linearShape(config: ModelConfig, target: Target): { rows: number; inputs: number } {
  const { hidden, feedForward, heads, kvHeads, headSize } = config;
  switch (target) {
    case "q_proj":
      return { rows: heads * headSize, inputs: hidden };
    case "k_proj":
    case "v_proj":
      return { rows: kvHeads * headSize, inputs: hidden };
    case "o_proj":
      return { rows: hidden, inputs: heads * headSize };
    case "gate_proj":
    case "up_proj":
      return { rows: feedForward, inputs: hidden };
    case "down_proj":
      return { rows: hidden, inputs: feedForward };
  }
}

/** A linear layer's name in a Hugging Face checkpoint. */
export function linearName(layer: number, target: Target): string {
  const block = target === "gate_proj" || target === "up_proj" || target === "down_proj" ? "mlp" : "self_attn";
  return `model.layers.${layer}.${block}.${target}.weight`;
}

/** Whether a linear layer adds a bias, [rows]. */
export function hasBias({ bias }: ModelConfig, target: Target): boolean {
  if (target === "q_proj" || target === "k_proj" || target === "v_proj") return bias !== "none";
  return target === "o_proj" && bias === "qkvo";
}

export function biasName(layer: number, target: Target): string {
  return `model.layers.${layer}.self_attn.${target}.bias`;
}

export const EMBEDDING = "model.embed_tokens.weight";
export const FINAL_NORM = "model.norm.weight";
export const HEAD = "lm_head.weight";
export const attentionNorm = (layer: number): string => `model.layers.${layer}.input_layernorm.weight`;
export const feedForwardNorm = (layer: number): string => `model.layers.${layer}.post_attention_layernorm.weight`;

/** All weights of a model, named as in a Hugging Face checkpoint, in the order of the forward pass. */
export function weightShapes(config: ModelConfig): WeightShape[] {
  const { vocabulary, hidden, layers, tied } = config;
  const shapes: WeightShape[] = [{ name: EMBEDDING, shape: [vocabulary, hidden] }];
  for (let layer = 0; layer < layers; layer++) {
    shapes.push({ name: attentionNorm(layer), shape: [hidden] });
    for (const target of TARGETS) {
      if (target === "gate_proj") shapes.push({ name: feedForwardNorm(layer), shape: [hidden] });
      const { rows, inputs } = linearShape(config, target);
      shapes.push({ name: linearName(layer, target), shape: [rows, inputs] });
      if (hasBias(config, target)) shapes.push({ name: biasName(layer, target), shape: [rows] });
    }
  }
  shapes.push({ name: FINAL_NORM, shape: [hidden] });
  if (!tied) shapes.push({ name: HEAD, shape: [vocabulary, hidden] });
  return shapes;
}
