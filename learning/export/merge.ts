import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { PermanentError } from "../../protocol/errors.ts";
import { bytesOf, readFileHeader, type SafetensorsEntry, safetensorsHeader } from "../artifact/safetensors.ts";
import {
  type AdapterSpec,
  type AdapterTensor,
  adapterLayout,
  adapterScale,
  factorA,
  factorAToFloat,
} from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { INDEX_FILE } from "../model/shardIndex.ts";
import { linearName } from "../model/weights.ts";
import { narrow, type StoredDtype, widen } from "./storedNumbers.ts";

/** Numbers that are in memory at once: 2^20, of four or eight bytes each, and what is made of them. */
const CHUNK = 1 << 20;

/** A tensor as it lies in the base, the type in which it is written, and what is added to it, if anything. */
type Part = { source: SafetensorsEntry; dtype: StoredDtype; change: AdapterTensor | undefined };
type Shard = { name: string; header: Buffer; parts: Part[]; bytes: number };

/** A base with an adapter merged into it, ready to be written. */
export type Merge = {
  model: string;
  shards: Shard[];
  /** Bytes of all shards. */
  bytes: number;
  /** Types in which numbers are stored. */
  dtypes: StoredDtype[];
  spec: AdapterSpec;
  flat: Float32Array;
  dtype: "F32" | undefined;
};

export type MergeParameters = {
  /** The base's folder, from which `checkpoint` was opened. */
  model: string;
  checkpoint: Checkpoint;
  spec: AdapterSpec;
  /** The factors B, in the order of `adapterLayout`. */
  flat: Float32Array;
  /** Stores all weights in float32; by default each as the base does. */
  dtype?: "F32" | undefined;
};

/** Lays out a merged model: the base's files with the same tensors in the same order. Reads headers only. */
export async function planMerge({ model, checkpoint, spec, flat, dtype }: MergeParameters): Promise<Merge> {
  const changes = new Map(
    adapterLayout(checkpoint.config, spec).map((tensor) => [linearName(tensor.layer, tensor.target), tensor]),
  );
  const shards: Shard[] = [];
  for (const name of checkpoint.files.filter((file) => file.endsWith(".safetensors"))) {
    const { tensors, metadata } = await readFileHeader(join(model, name));
    const parts = tensors.map((source): Part => {
      // `openCheckpoint` has refused all other types.
      return { source, dtype: dtype ?? (source.dtype as StoredDtype), change: changes.get(source.name) };
    });
    const written = parts.map(({ source, dtype }) => ({ name: source.name, shape: source.shape, dtype }));
    // Some readers of Hugging Face files insist on knowing who wrote the tensors.
    const header = safetensorsHeader(written, metadata.size > 0 ? metadata : new Map([["format", "pt"]]));
    const bytes = header.length + written.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    shards.push({ name, header, parts, bytes });
  }
  const dtypes = [...new Set(shards.flatMap(({ parts }) => parts.map((part) => part.dtype)))];
  return { model, shards, bytes: shards.reduce((sum, { bytes }) => sum + bytes, 0), dtypes, spec, flat, dtype };
}

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
  const config = configText(await readFile(join(merge.model, "config.json"), "utf8"), merge.dtype);
  await writeFile(join(out, "config.json"), config, { flush: true });
  if (merge.shards.length > 1) await writeFile(join(out, INDEX_FILE), indexText(merge), { flush: true });
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
  { spec, flat }: Merge,
  { source, dtype, change }: Part,
  file: FileHandle,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const { name, offset, bytes } = source;
  const width = source.shape.at(-1) ?? 1;
  const a = change && factorAToFloat(factorA(spec, change));
  const rowBytes = (bytes * width) / source.shape.reduce((product, n) => product * n, 1);
  const chunk = rowBytes * Math.max(1, Math.floor(CHUNK / width));
  for (let done = 0; done < bytes; done += chunk) {
    const buffer = new Uint8Array(Math.min(chunk, bytes - done));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset + done);
    if (bytesRead !== buffer.length) throw new PermanentError(`The file ends in the middle of "${name}".`);
    if (change === undefined && dtype === source.dtype) {
      await write(buffer);
      continue;
    }
    const numbers = widen(buffer, source.dtype as StoredDtype);
    if (change !== undefined && a !== undefined) {
      addProduct(numbers, done / rowBytes, { change, a, flat, scale: adapterScale(spec) });
    }
    await write(narrow(numbers, dtype, `"${name}" with the adapter`));
  }
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

/** The base's `config.json`, as it is unless the type of its weights changes. */
function configText(text: string, dtype: "F32" | undefined): string {
  if (dtype === undefined) return text;
  const config = JSON.parse(text) as Record<string, unknown>;
  for (const field of ["torch_dtype", "dtype"]) if (config[field] !== undefined) config[field] = "float32";
  return `${JSON.stringify(config, null, 2)}\n`;
}

function indexText({ shards, bytes }: Merge): string {
  const places = shards.flatMap(({ name, parts }) => parts.map(({ source }) => [source.name, name]));
  const total = bytes - shards.reduce((sum, { header }) => sum + header.length, 0);
  return `${JSON.stringify({ metadata: { total_size: total }, weight_map: Object.fromEntries(places) }, null, 2)}\n`;
}
