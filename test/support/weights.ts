import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SafetensorsEntry } from "../../learning/artifact/safetensors.ts";
import type { Checkpoint } from "../../learning/model/checkpoint.ts";
import { weightShapes } from "../../learning/model/weights.ts";

/** All weights of a small checkpoint as one vector, in the order of `weightShapes`. */
export async function readWeights({ config, folder, file, weights }: Checkpoint): Promise<Float32Array> {
  const bytes = await readFile(join(folder, file));
  const parts = weightShapes(config).map(({ name }) => {
    const { offset, bytes: length } = weights.get(name) as SafetensorsEntry;
    return Buffer.from(bytes.subarray(offset, offset + length));
  });
  const all = Buffer.concat(parts);
  return new Float32Array(all.buffer.slice(all.byteOffset, all.byteOffset + all.length));
}
