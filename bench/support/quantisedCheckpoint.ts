import { randomFillSync } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { safetensorsHeader } from "../../learning/artifact/safetensors.ts";
import { sizeOf } from "../../learning/graph/shapes.ts";
import { parseConfig, QUANTISATION } from "../../learning/model/config.ts";
import { storedShapes } from "../../learning/model/weights.ts";

/** Bytes written at once. */
const CHUNK = 1 << 22;

/**
 * Writes a Llama of a size as a base in 4 bits, with random codes and one scale for all: the memory and arithmetic of a real one, without a source to
 * quantise. Embedding, output layer and norms are float16.
 */
export async function writeQuantisedCheckpoint(folder: string, hfConfig: object, width: number): Promise<void> {
  const text = JSON.stringify({ ...hfConfig, quantization_config: QUANTISATION });
  await writeFile(join(folder, "config.json"), text);
  const tensors = storedShapes(parseConfig(text)).map(({ name, shape, dtypes }) => ({
    ...{ name, shape, dtype: dtypes.includes("U8") ? ("U8" as const) : ("F16" as const) },
  }));
  const file = await open(join(folder, "model.safetensors"), "w");
  const random = randomFillSync(new Uint8Array(CHUNK)); // the arithmetic does not depend on them
  const scale = new Uint8Array(Float16Array.from({ length: CHUNK / 2 }, () => width ** -0.5 / 4).buffer);
  const one = new Uint8Array(Float16Array.from({ length: CHUNK / 2 }, () => 1).buffer);
  // Of the matrices that are no codes: numbers of either sign, below 1 / 8.
  const small = random.map((byte, i) => (i % 2 === 0 ? byte : (byte & 0x83) | 0x28));
  try {
    await file.appendFile(safetensorsHeader(tensors));
    for (const { name, shape, dtype } of tensors) {
      const source = dtype === "U8" ? random : name.endsWith(".scale") ? scale : shape.length === 1 ? one : small;
      for (let left = sizeOf(shape) * (dtype === "U8" ? 1 : 2); left > 0; left -= CHUNK) {
        await file.appendFile(source.subarray(0, Math.min(left, CHUNK)));
      }
    }
  } finally {
    await file.close();
  }
}
