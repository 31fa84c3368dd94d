import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "../model/checkpoint.ts";
import { QUANTISATION } from "../model/config.ts";

/** Bytes of a sample, and from the beginning of one to that of the next. A change that lies between two of them is not seen. */
const SAMPLE = 1024;
const SPACING = 1 << 22;

/**
 * What tells one source from another without reading all of it: sha256 over `config.json`, the place of each weight, and samples of it: its beginning, its end,
 * and one every 4 MiB between, so that a file with room for what was not downloaded yet is another one than when it is whole. Times of files are left out:
 * a copy is the same source.
 */
export async function sourceDigest(model: string, { folder, weights }: Checkpoint): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(QUANTISATION));
  hash.update(await readFile(join(model, "config.json")));
  const buffer = Buffer.alloc(SAMPLE);
  for (const [name, { dtype, shape, file, offset, bytes }] of weights) {
    const source = await open(join(folder, file), "r");
    try {
      hash.update(`\0${JSON.stringify([name, dtype, shape])}\0`);
      const length = Math.min(SAMPLE, bytes);
      for (const at of placesIn(bytes)) {
        const { bytesRead } = await source.read(buffer, 0, length, offset + at);
        hash.update(buffer.subarray(0, bytesRead));
      }
    } finally {
      await source.close();
    }
  }
  return hash.digest("hex");
}

/** Where samples of a tensor of so many bytes begin. */
function placesIn(bytes: number): number[] {
  const last = Math.max(0, bytes - SAMPLE);
  return [...Array.from({ length: Math.ceil(last / SPACING) }, (_, i) => i * SPACING), last];
}
