import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint, StoredWeight } from "../../learning/model/checkpoint.ts";
import { weightShapes } from "../../learning/model/weights.ts";

/** All weights of a small float32 checkpoint as one vector, in the order of `weightShapes`. */
export async function readWeights({ config, folder, weights }: Checkpoint): Promise<Float32Array> {
  const parts = weightShapes(config).map(async ({ name }) => {
    const { file, offset, bytes } = weights.get(name) as StoredWeight;
    return (await readFile(join(folder, file))).subarray(offset, offset + bytes);
  });
  const all = Buffer.concat(await Promise.all(parts));
  return new Float32Array(all.buffer.slice(all.byteOffset, all.byteOffset + all.length));
}
