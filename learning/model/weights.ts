import { PermanentError } from "../../protocol/errors.ts";
import type { SafetensorsDtype } from "../artifact/safetensors.ts";
import { BLOCK } from "../graph/fourBit.ts";
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

/** A tensor as it lies in a file, in one of some types. */
export type StoredShape = WeightShape & { dtypes: readonly SafetensorsDtype[] };

/** Types in which weights may be stored. The graph widens the 16-bit ones to float32. */
export const FLOATS: readonly SafetensorsDtype[] = ["F32", "F16", "BF16"];

/** The name of the scales of a linear layer that is stored in 4 bits. */
export const scalesName = (weight: string): string => `${weight}.scale`;

/**
 * All tensors of a model's files. In a quantised base each linear layer [rows, inputs] is two of them: codes of 4 bits, two a byte, the first in its low half,
 * U8 [rows, inputs / 32, 16], and the scale of each 32 of them, F16 [rows, inputs / 32].
 */
export function storedShapes(config: ModelConfig): StoredShape[] {
  const linear = new Set(config.quantised ? linearNames(config) : []);
  return weightShapes(config).flatMap(({ name, shape }): StoredShape[] => {
    if (!linear.has(name)) return [{ name, shape, dtypes: FLOATS }];
    const blocks = [shape[0] as number, (shape[1] as number) / BLOCK];
    return [
      { name, shape: [...blocks, BLOCK / 2], dtypes: ["U8"] },
      { name: scalesName(name), shape: blocks, dtypes: ["F16"] },
    ];
  });
}

/** The names of all linear layers. */
export function linearNames({ layers }: ModelConfig): string[] {
  return Array.from({ length: layers }, (_, layer) => TARGETS.map((target) => linearName(layer, target))).flat();
}

/** The layer that a weight belongs to; none of embedding, last norm and output layer. */
export function layerOf(name: string): number | undefined {
  const digits = /^model\.layers\.(\d+)\./.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** @throws PermanentError if a linear layer cannot be cut into blocks of 32 numbers of a row. */
export function requireBlocks(config: ModelConfig, where: string): void {
  for (const target of TARGETS) {
    const { inputs } = linearShape(config, target);
    if (inputs % BLOCK === 0) continue;
    throw new PermanentError(
      `${where}: the ${inputs} inputs of ${target} cannot be cut into blocks of ${BLOCK}, as weights in 4 bits are.`,
    );
  }
}
