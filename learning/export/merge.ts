import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { PermanentError } from "../../protocol/errors.ts";
import type { SafetensorsEntry } from "../artifact/safetensors.ts";
import { decode } from "../graph/fourBit.ts";
import { sizeOf } from "../graph/shapes.ts";
import { type AdapterTensor, adapterScale, factorA, factorAToFloat } from "../model/adapter.ts";
import { INDEX_FILE } from "../model/shardIndex.ts";
import type { Merge, Part, Shard } from "./mergePlan.ts";
import { narrow, type StoredDtype, widen } from "./storedNumbers.ts";

/** Numbers that are in memory at once: 2^20, of four or eight bytes each, and what is made of them. */
const CHUNK = 1 << 20;

export type WrittenFile = { name: string; bytes: number; sha256: Hex };

/**
 * Writes W + (alpha / rank) * B A for each linear layer that the adapter changes, in float64 and rounded once, everything else as it is, and the index and
 * `config.json` that belong to them, into an empty folder. A few rows at a time: memory does not grow with the model.
 *
 * @throws PermanentError if a number leaves the range of its type, the signal's reason when it was aborted.
 */
export async function writeMerge(
  merge: Merge,
  out: string,
  { signal, onFile }: { signal?: AbortSignal | undefined; onFile?: ((name: string) => void) | undefined } = {},
): Promise<WrittenFile[]> {
  await mkdir(out, { recursive: true });
  const written: WrittenFile[] = [];
  for (const shard of merge.shards) {
    onFile?.(shard.name);
    written.push(await writeShard(merge, shard, join(out, shard.name), signal));
  }
  const config = configText(await readFile(join(merge.model, "config.json"), "utf8"), merge);
  await writeFile(join(out, "config.json"), config, { flush: true });
  if (merge.indexed) await writeFile(join(out, INDEX_FILE), indexText(merge), { flush: true });
  return written;
}

async function writeShard(merge: Merge, shard: Shard, path: string, signal?: AbortSignal): Promise<WrittenFile> {
  const source = await open(join(merge.model, shard.name), "r");
  const target = await open(path, "wx").catch(async (error: unknown) => {
    await source.close();
    throw error;
  });
  const hash = createHash("sha256");
  const write = async (bytes: Uint8Array) => {
    signal?.throwIfAborted();
    hash.update(bytes);
    await target.appendFile(bytes);
  };
  try {
    await write(shard.header);
    for (const part of shard.parts) await writePart(merge, part, source, write);
    await target.sync();
  } finally {
    await target.close();
    await source.close();
  }
  return { name: shard.name, bytes: shard.bytes, sha256: `0x${hash.digest("hex")}` };
}

async function writePart(
  { spec, flat, folder }: Merge,
  part: Part,
  file: FileHandle,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const { source, scales, dtype, shape, change } = part;
  const width = shape.at(-1) ?? 1;
  const rows = sizeOf(shape) / width;
  const a = change && factorAToFloat(factorA(spec, change));
  const atOnce = Math.max(1, Math.floor(CHUNK / width));
  const scaleFile = scales && (await open(join(folder, scales.file), "r"));
  try {
    for (let first = 0; first < rows; first += atOnce) {
      const count = Math.min(atOnce, rows - first);
      const bytes = await readRows(file, source, { rows, first, count });
      if (change === undefined && dtype === source.dtype) {
        await write(bytes);
        continue;
      }
      const numbers =
        scales === undefined || scaleFile === undefined
          ? widen(bytes, source.dtype as StoredDtype)
          : fourBits(bytes, await readRows(scaleFile, scales, { rows, first, count }));
      if (change !== undefined && a !== undefined) {
        addProduct(numbers, first, { change, a, flat, scale: adapterScale(spec) });
      }
      await write(narrow(numbers, dtype, `"${source.name}" with the adapter`));
    }
  } finally {
    await scaleFile?.close();
  }
}

/** The bytes of some rows of a tensor that has so many. */
async function readRows(
  file: FileHandle,
  { name, offset, bytes }: SafetensorsEntry,
  { rows, first, count }: { rows: number; first: number; count: number },
): Promise<Uint8Array> {
  const buffer = new Uint8Array((bytes / rows) * count);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset + (bytes / rows) * first);
  if (bytesRead !== buffer.length) throw new PermanentError(`The file ends in the middle of "${name}".`);
  return buffer;
}

function fourBits(codes: Uint8Array, scales: Uint8Array): Float64Array {
  return Float64Array.from(decode(codes, new Float16Array(scales.buffer as ArrayBuffer)));
}

/** Adds rows of scale * B A to the rows of a weight from `first` on. */
function addProduct(
  numbers: Float64Array,
  first: number,
  { change, a, flat, scale }: { change: AdapterTensor; a: Float32Array; flat: Float32Array; scale: number },
): void {
  const { columns: rank, inputs, offset } = change;
  for (let row = 0; row < numbers.length / inputs; row++) {
    const sums = numbers.subarray(row * inputs, (row + 1) * inputs);
    for (let k = 0; k < rank; k++) {
      const factor = scale * (flat[offset + (first + row) * rank + k] as number);
      if (factor === 0) continue;
      const line = a.subarray(k * inputs, (k + 1) * inputs);
      for (let i = 0; i < inputs; i++) sums[i] = (sums[i] as number) + factor * (line[i] as number);
    }
  }
}

/** The base's `config.json`, as it is unless it says how its weights are stored and that changes. */
function configText(text: string, { dtype, shards }: Merge): string {
  const wasQuantised = shards.some(({ parts }) => parts.some(({ scales }) => scales !== undefined));
  if (dtype === undefined && !wasQuantised) return text;
  const { quantization_config: _, ...config } = JSON.parse(text) as Record<string, unknown>;
  for (const field of ["torch_dtype", "dtype"]) {
    if (dtype !== undefined && config[field] !== undefined) config[field] = "float32";
  }
  return `${JSON.stringify(config, null, 2)}\n`;
}

function indexText({ shards, bytes }: Merge): string {
  const places = shards.flatMap(({ name, parts }) => parts.map(({ source }) => [source.name, name]));
  const total = bytes - shards.reduce((sum, { header }) => sum + header.length, 0);
  return `${JSON.stringify({ metadata: { total_size: total }, weight_map: Object.fromEntries(places) }, null, 2)}\n`;
}
