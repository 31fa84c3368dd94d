import { type SafetensorsTensor, writeSafetensors } from "../../learning/artifact/safetensors.ts";
import { type AdapterSpec, type AdapterTensor, factorA, factorAToFloat } from "../../learning/model/adapter.ts";

/**
 * An adapter as Hugging Face PEFT reads it (`adapter_config.json`, `adapter_model.safetensors`): factor A derived from the seed, factor
 * B trained, both float32. W + (alpha / rank) * B A is what we compute with, too.
 */
export function writePeft(
  layout: readonly AdapterTensor[],
  spec: AdapterSpec,
  { flat, base }: { flat: Float32Array; base: string },
): { config: string; weights: Buffer } {
  const tensors = layout.flatMap((tensor): SafetensorsTensor[] => {
    const { layer, target, rows, columns, inputs, offset } = tensor;
    const block = /^(q|k|v|o)_/.test(target) ? "self_attn" : "mlp";
    const name = `base_model.model.model.layers.${layer}.${block}.${target}`;
    const b = flat.subarray(offset, offset + rows * columns);
    return [
      matrix(`${name}.lora_A.weight`, [columns, inputs], factorAToFloat(factorA(spec, tensor))),
      matrix(`${name}.lora_B.weight`, [rows, columns], b),
    ];
  });
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base,
    r: spec.rank,
    lora_alpha: spec.alpha,
    target_modules: [...spec.targets],
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
  };
  return { config: `${JSON.stringify(config, null, 2)}\n`, weights: writeSafetensors(tensors) };
}

function matrix(name: string, shape: number[], numbers: Float32Array): SafetensorsTensor {
  const data = Buffer.alloc(numbers.length * 4);
  numbers.forEach((value, index) => {
    data.writeFloatLE(value, 4 * index);
  });
  return { name, dtype: "F32", shape, data };
}
