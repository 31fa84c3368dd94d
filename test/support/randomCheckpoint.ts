import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type SafetensorsTensor, writeSafetensors } from "../../learning/artifact/safetensors.ts";
import { sizeOf } from "../../learning/graph/shapes.ts";
import { parseConfig } from "../../learning/model/config.ts";
import { weightShapes } from "../../learning/model/weights.ts";
import { Stream } from "../../learning/random.ts";

export type StoredDtype = "F32" | "F16" | "BF16";

/**
 * Writes a Hugging Face folder of random weights, the same on every machine: `config.json`, and one file or so many shards with their index. Matrices are normal
 * with deviation 1 / sqrt(inputs); norms spread around 1 and biases around 0.
 */
export async function writeRandomCheckpoint(
  folder: string,
  hfConfig: object,
  {
    dtype = "F32",
    shards = 1,
    seed = "checkpoint",
  }: { dtype?: StoredDtype | undefined; shards?: number | undefined; seed?: string } = {},
): Promise<void> {
  const text = JSON.stringify(hfConfig);
  const tensors = weightShapes(parseConfig(text)).map(({ name, shape }): SafetensorsTensor => {
    const stream = new Stream(seed, name);
    const deviation = shape.length === 1 ? 0.2 : (shape[1] as number) ** -0.5;
    const mean = shape.length === 1 && !name.endsWith(".bias") ? 1 : 0;
    const numbers = Float32Array.from({ length: sizeOf(shape) }, () => mean + deviation * stream.normal());
    return { name, dtype, shape, data: stored(numbers, dtype) };
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), text);
  if (shards === 1) return writeFile(join(folder, "model.safetensors"), writeSafetensors(tensors));

  const places: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const number = (n: number) => String(n).padStart(5, "0");
    const file = `model-${number(shard + 1)}-of-${number(shards)}.safetensors`;
    const part = tensors.filter((_, i) => i % shards === shard);
    for (const { name } of part) places[name] = file;
    await writeFile(join(folder, file), writeSafetensors(part));
  }
  const index = { metadata: { total_size: 0 }, weight_map: places };
  await writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify(index, null, 2));
}

/** Numbers as they lie in a file, rounded to the nearest of the type, ties to even. */
function stored(numbers: Float32Array, dtype: StoredDtype): Uint8Array {
  if (dtype === "F32") return new Uint8Array(numbers.buffer);
  if (dtype === "F16") return new Uint8Array(Float16Array.from(numbers).buffer);
  const words = new Uint32Array(numbers.buffer);
  return new Uint8Array(Uint16Array.from(words, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16).buffer);
}
