import { PermanentError } from "../../protocol/errors.ts";
import { type ExpectedTensor, readExactFile } from "../artifact/exactFile.ts";
import { writeSafetensors } from "../artifact/safetensors.ts";
import { type AdapterSpec, type AdapterTensor, adapterSize, factorA, factorAToFloat } from "../model/adapter.ts";
import { linearName } from "../model/weights.ts";

/** An adapter as Hugging Face PEFT reads it: the text of `adapter_config.json`, the bytes of `adapter_model.safetensors`. */
export type PeftFiles = { config: string; weights: Buffer };

/**
 * Writes an adapter for PEFT: factor A derived from the seed, factor B trained, both float32. PEFT computes W + (lora_alpha / r) * B A, as we do, where
 * `use_rslora` is false; all fields that would change the arithmetic are written out, whatever a later version takes for its default.
 */
export function writePeft(
  layout: readonly AdapterTensor[],
  spec: AdapterSpec,
  { flat, base }: { flat: Float32Array; base: string },
): PeftFiles {
  const contents = layout.flatMap((tensor) => {
    const { rows, columns, offset } = tensor;
    return [factorAToFloat(factorA(spec, tensor)), flat.subarray(offset, offset + rows * columns)];
  });
  const weights = writeSafetensors(
    expectedTensors(layout).map((tensor, i) => ({ ...tensor, data: littleEndian(contents[i] as Float32Array) })),
  );
  return { config: `${JSON.stringify({ ...configOf(spec), base_model_name_or_path: base }, null, 2)}\n`, weights };
}

/**
 * The factors B, flat, of files that `writePeft` wrote for this adapter; exact.
 * @throws PermanentError if anything of them is different.
 */
export function readPeft(
  layout: readonly AdapterTensor[],
  spec: AdapterSpec,
  { config, weights }: { config: string; weights: Uint8Array },
  where = "the adapter for PEFT",
): Float32Array {
  const wanted = configOf(spec);
  const found = JSON.parse(config) as Record<string, unknown>;
  for (const [name, value] of Object.entries(wanted)) {
    if (JSON.stringify(found[name]) === JSON.stringify(value)) continue;
    throw new PermanentError(`${where}: ${name} is ${JSON.stringify(found[name])}, not ${JSON.stringify(value)}.`);
  }
  const contents = readExactFile(weights, expectedTensors(layout), where).map(floats);
  const flat = new Float32Array(adapterSize(layout));
  for (const [index, tensor] of layout.entries()) {
    const own = factorAToFloat(factorA(spec, tensor));
    const a = contents[2 * index] as Float32Array;
    if (a.some((value, at) => value !== own[at])) {
      throw new PermanentError(`${where}: factor A of ${tensor.name} is not the one of this adapter's seed.`);
    }
    flat.set(contents[2 * index + 1] as Float32Array, tensor.offset);
  }
  return flat;
}

function configOf({ rank, alpha, targets }: AdapterSpec): Record<string, unknown> {
  return {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    r: rank,
    lora_alpha: alpha,
    target_modules: [...targets],
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    use_rslora: false,
    use_dora: false,
    modules_to_save: null,
    layers_to_transform: null,
    layer_replication: null,
    rank_pattern: {},
    alpha_pattern: {},
    init_lora_weights: true,
    inference_mode: true,
  };
}

/** lora_A [rank, inputs] and lora_B [rows, rank] of each layer. */
function expectedTensors(layout: readonly AdapterTensor[]): ExpectedTensor[] {
  return layout.flatMap(({ layer, target, rows, columns, inputs }): ExpectedTensor[] => {
    const place = `base_model.model.${linearName(layer, target).replace(/\.weight$/, "")}`;
    return [
      { name: `${place}.lora_A.weight`, dtype: "F32", shape: [columns, inputs] },
      { name: `${place}.lora_B.weight`, dtype: "F32", shape: [rows, columns] },
    ];
  });
}

function littleEndian(numbers: Float32Array): Uint8Array {
  const data = Buffer.alloc(numbers.length * 4);
  for (const [index, value] of numbers.entries()) data.writeFloatLE(value, 4 * index);
  return data;
}

function floats(content: Uint8Array): Float32Array {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  return Float32Array.from({ length: content.length / 4 }, (_, at) => view.getFloat32(4 * at, true));
}
