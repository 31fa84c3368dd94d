import { join } from "node:path";
import { PermanentError } from "../../protocol/errors.ts";
import { parseStrictJson } from "../artifact/strictJson.ts";
import { readBounded } from "./readBounded.ts";

export const INDEX_FILE = "model.safetensors.index.json";

/** Which file of a model's folder each tensor is in. */
export type ShardIndex = {
  /** File names, each once, sorted. */
  shards: string[];
  /** File name of each tensor. */
  places: Map<string, string>;
};

const MAX_BYTES = 1 << 24;
const MAX_SHARDS = 1000;

/** A name in the folder itself: no way out of it, on any system. */
const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\.safetensors$/;

/**
 * Reads `model.safetensors.index.json`. Its `metadata` (a total of bytes that is often wrong) is not used.
 *
 * @throws PermanentError if it is missing, malformed, names a tensor twice or a file that is not in the folder itself.
 */
export async function readIndex(folder: string): Promise<ShardIndex> {
  const where = join(folder, INDEX_FILE);
  const text = await readBounded(where, MAX_BYTES).catch((cause: unknown) => {
    if (!isMissing(cause)) throw cause;
    throw new PermanentError(`${folder} has neither model.safetensors nor ${INDEX_FILE}; a model folder needs one.`, {
      cause,
    });
  });
  const index = parseStrictJson(Buffer.from(text), { where });
  const map = index instanceof Map ? index.get("weight_map") : undefined;
  if (!(map instanceof Map) || map.size === 0) throw new PermanentError(`${where} has no weight_map.`);
  const places = new Map<string, string>();
  for (const [name, file] of map) {
    if (typeof file !== "string" || !FILE_NAME.test(file)) {
      throw new PermanentError(
        `${where}: the tensor ${JSON.stringify(name)} is to be in ${JSON.stringify(file)}, which is no name of a .safetensors file in the folder itself.`,
      );
    }
    places.set(name, file);
  }
  const shards = [...new Set(places.values())].sort();
  if (shards.length > MAX_SHARDS) {
    throw new PermanentError(`${where} names ${shards.length} files, but at most ${MAX_SHARDS} are read.`);
  }
  return { shards, places };
}

function isMissing(error: unknown): boolean {
  return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
}
