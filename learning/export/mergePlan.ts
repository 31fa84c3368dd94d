import { join } from "node:path";
import { bytesOf, readFileHeader, type SafetensorsEntry, safetensorsHeader } from "../artifact/safetensors.ts";
import { type AdapterSpec, type AdapterTensor, adapterLayout } from "../model/adapter.ts";
import type { Checkpoint, StoredWeight } from "../model/checkpoint.ts";
import { INDEX_FILE } from "../model/shardIndex.ts";
import { EMBEDDING, linearName, weightShapes } from "../model/weights.ts";
import type { StoredDtype } from "./storedNumbers.ts";

/** A tensor as it lies in the base, how it is written, and what is added to it, if anything. Scales are those of a weight that the base has in 4 bits. */
export type Part = {
  source: SafetensorsEntry;
  scales: StoredWeight | undefined;
  dtype: StoredDtype;
  shape: readonly number[];
  change: AdapterTensor | undefined;
};
export type Shard = { name: string; header: Buffer; parts: Part[]; bytes: number };

/** A base with an adapter merged into it, ready to be written. */
export type Merge = {
  model: string;
  /** Folder of the base's weights behind all links. */
  folder: string;
  shards: Shard[];
  /** Bytes of all shards. */
  bytes: number;
  /** Types in which numbers are stored. */
  dtypes: StoredDtype[];
  spec: AdapterSpec;
  flat: Float32Array;
  dtype: "F32" | undefined;
  /** Whether an index says which file each tensor is in. */
  indexed: boolean;
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

/**
 * Lays out a merged model: the base's files with the same tensors in the same order. What the base has in 4 bits becomes numbers of the type that its embedding
 * has, for 4 bits cannot hold what is added. Reads headers only.
 */
export async function planMerge({ model, checkpoint, spec, flat, dtype }: MergeParameters): Promise<Merge> {
  const { config, weights, folder } = checkpoint;
  const changes = new Map(
    adapterLayout(config, spec).map((tensor) => [linearName(tensor.layer, tensor.target), tensor]),
  );
  const shapes = new Map(weightShapes(config).map(({ name, shape }) => [name, shape]));
  const plain = (weights.get(EMBEDDING) as StoredWeight).dtype;
  const scaleNames = new Set(
    [...weights.values()].flatMap(({ scales }) => (scales === undefined ? [] : [scales.name])),
  );
  const shards: Shard[] = [];
  for (const name of checkpoint.files.filter((file) => file.endsWith(".safetensors"))) {
    const { tensors, metadata } = await readFileHeader(join(model, name));
    const parts = tensors
      .filter((source) => !scaleNames.has(source.name))
      .map((source): Part => {
        const scales = weights.get(source.name)?.scales;
        // `openCheckpoint` has refused all other types.
        const own = (scales === undefined ? source.dtype : plain) as StoredDtype;
        const shape = scales === undefined ? source.shape : (shapes.get(source.name) as number[]);
        return { source, scales, dtype: dtype ?? own, shape, change: changes.get(source.name) };
      });
    if (parts.length === 0) continue; // nothing but scales
    const written = parts.map(({ source, shape, dtype }) => ({ name: source.name, shape, dtype }));
    // Some readers of Hugging Face files insist on knowing who wrote the tensors.
    const header = safetensorsHeader(written, metadata.size > 0 ? metadata : new Map([["format", "pt"]]));
    const bytes = header.length + written.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    shards.push({ name, header, parts, bytes });
  }
  const dtypes = [...new Set(shards.flatMap(({ parts }) => parts.map((part) => part.dtype)))];
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const indexed = checkpoint.files.includes(INDEX_FILE);
  return { model, folder, shards, bytes, dtypes, spec, flat, dtype, indexed };
}
