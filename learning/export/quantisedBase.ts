import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { bytesOf, type SafetensorsTensor, safetensorsHeader } from "../artifact/safetensors.ts";
import { BLOCK, encode, type Loss } from "../graph/fourBit.ts";
import { sizeOf } from "../graph/shapes.ts";
import type { Checkpoint, StoredWeight } from "../model/checkpoint.ts";
import { QUANTISATION } from "../model/config.ts";
import { requireFinite } from "../model/finite.ts";
import { layerOf, linearNames, requireBlocks, scalesName } from "../model/weights.ts";
import { type StoredDtype, widenInto } from "./storedNumbers.ts";
import { writeWhole } from "./writeWhole.ts";

/** Numbers that are in memory at once, in whole rows: a row is never longer. */
const CHUNK = 1 << 20;

/** Room for them as they are read, widened and written. */
const room = () => ({
  read: new Uint8Array(4 * CHUNK),
  numbers: new Float32Array(CHUNK),
  codes: new Uint8Array(CHUNK / 2),
  scales: new Float16Array(CHUNK / BLOCK),
});

/** A tensor of the source, and where it goes in the shard: as it is, or as codes and scales. */
type Part = { weight: StoredWeight; at: number; scalesAt?: number | undefined };
export type QuantisedShard = { name: string; header: Buffer; parts: Part[]; bytes: number };

/**
 * Lays out a base whose linear layers are in 4 bits (`storedShapes` says how): one file a layer, and a last one for the rest. Norms and biases come first in
 * it, then the codes, then the scales, so that each lies at a multiple of its size.
 *
 * @throws PermanentError if the base is quantised already, or a linear layer cannot be cut into blocks.
 */
export function planQuantised({ config, weights }: Checkpoint, where: string): QuantisedShard[] {
  if (config.quantised)
    throw new PermanentError(`${where} is quantised already: name the model that it was made from.`);
  requireBlocks(config, where);
  const linear = new Set(linearNames(config));
  const number = (n: number) => String(n).padStart(5, "0");
  return Array.from({ length: config.layers + 1 }, (_, layer) => {
    const name = `model-${number(layer + 1)}-of-${number(config.layers + 1)}.safetensors`;
    const own = [...weights].filter(([weight]) => (layerOf(weight) ?? config.layers) === layer);
    const floats = own.filter(([weight]) => !linear.has(weight)).sort(([, a], [, b]) => element(b) - element(a));
    return layOut(
      name,
      floats.map(([, weight]) => weight),
      own.filter(([weight]) => linear.has(weight)).map(([, weight]) => weight),
    );
  });
}

const element = ({ bytes, shape }: StoredWeight) => bytes / sizeOf(shape);

function layOut(name: string, floats: readonly StoredWeight[], matrices: readonly StoredWeight[]): QuantisedShard {
  const blocks = ({ shape }: StoredWeight) => [shape[0] as number, (shape[1] as number) / BLOCK];
  const tensors: Omit<SafetensorsTensor, "data">[] = [
    ...floats.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    ...matrices.map((weight) => ({ name: weight.name, dtype: "U8" as const, shape: [...blocks(weight), BLOCK / 2] })),
    ...matrices.map((weight) => ({ name: scalesName(weight.name), dtype: "F16" as const, shape: blocks(weight) })),
  ];
  // Some readers of Hugging Face files insist on knowing who wrote the tensors.
  const header = safetensorsHeader(tensors, new Map([["format", "pt"]]));
  let bytes = header.length;
  const places = new Map<string, number>();
  for (const tensor of tensors) {
    places.set(tensor.name, bytes);
    bytes += bytesOf(tensor);
  }
  const parts = [...floats, ...matrices].map((weight): Part => {
    return { weight, at: places.get(weight.name) as number, scalesAt: places.get(scalesName(weight.name)) };
  });
  return { name, header, parts, bytes };
}

export type QuantiserOptions = {
  signal?: AbortSignal | undefined;
  /** Told how many bytes of the source have just been read. */
  onRead?: ((bytes: number) => void) | undefined;
};

/** Writes one shard after the other, each with the same few MiB of memory. */
export type Quantiser = (shard: QuantisedShard, path: string) => Promise<Loss>;

/**
 * Opens a base for quantising. A shard is written a few rows at a time and flushed to the disk; what is at its path is written over. What it gives is what
 * the codes of the shard's linear layers lose.
 *
 * Writing throws PermanentError that names file and tensor if a number is none or infinite, or the source became shorter; PassingError if the disk kept
 * another length than was written.
 */
export function openQuantiser({ folder }: Checkpoint, options: QuantiserOptions = {}): Quantiser {
  const scratch = room();
  return async ({ header, parts, bytes }, path) => {
    const sources = new Map<string, FileHandle>();
    const target = await open(path, "w");
    const loss = { error: 0, energy: 0 };
    try {
      await writeWhole(target, header, 0);
      for (const part of parts) {
        const { file } = part.weight;
        const source = sources.get(file) ?? (await open(join(folder, file), "r"));
        sources.set(file, source);
        const { error, energy } = await writePart(part, source, target, scratch, options);
        loss.error += error;
        loss.energy += energy;
      }
      await target.sync();
      const { size } = await target.stat();
      if (size !== bytes) throw new PassingError(`${path} has ${size} bytes of the ${bytes} that were written to it.`);
    } finally {
      await target.close();
      for (const source of sources.values()) await source.close();
    }
    return loss;
  };
}

async function writePart(
  { weight, at, scalesAt }: Part,
  source: FileHandle,
  target: FileHandle,
  scratch: ReturnType<typeof room>,
  { signal, onRead }: QuantiserOptions,
): Promise<Loss> {
  const { name, file, offset, bytes, shape } = weight;
  const dtype = weight.dtype as StoredDtype; // `openCheckpoint` has refused all others, but in quantised bases
  const size = element(weight);
  const width = shape.at(-1) as number;
  const most = width * Math.floor(CHUNK / width);
  const loss = { error: 0, energy: 0 };
  for (let done = 0; done < bytes / size; done += most) {
    signal?.throwIfAborted();
    const count = Math.min(most, bytes / size - done);
    const read = scratch.read.subarray(0, count * size);
    const { bytesRead } = await source.read(read, 0, read.length, offset + done * size);
    if (bytesRead !== read.length) throw new PermanentError(`${file}: the file ends in the middle of "${name}".`);
    const from = { name, dtype, first: done };
    if (scalesAt === undefined) {
      requireFinite(read, from, file);
      await writeWhole(target, read, at + done * size);
    } else {
      const numbers = scratch.numbers.subarray(0, count);
      const codes = scratch.codes.subarray(0, count / 2);
      const scales = scratch.scales.subarray(0, count / BLOCK);
      widenInto(read, dtype, numbers);
      const { error, energy } = encode(numbers, codes, scales, (index) => {
        requireFinite(read, from, file);
        throw new PermanentError(
          `${file}: element ${done + index} of "${name}" is ${numbers[index]}, too large for a scale in float16.`,
        );
      });
      loss.error += error;
      loss.energy += energy;
      await writeWhole(target, codes, at + done / 2);
      await writeWhole(target, new Uint8Array(scales.buffer, 0, 2 * scales.length), scalesAt + (2 * done) / BLOCK);
    }
    onRead?.(read.length);
  }
  return loss;
}

/** `config.json` of a quantised base. */
export function quantisedConfig(text: string): string {
  return `${JSON.stringify({ ...(JSON.parse(text) as object), quantization_config: QUANTISATION }, null, 2)}\n`;
}

/** `model.safetensors.index.json` of these shards. */
export function quantisedIndex(shards: readonly QuantisedShard[]): string {
  const places = shards.flatMap(({ name, parts }) =>
    parts.flatMap(({ weight, scalesAt }) => [
      [weight.name, name],
      ...(scalesAt === undefined ? [] : [[scalesName(weight.name), name]]),
    ]),
  );
  const total = shards.reduce((sum, { bytes, header }) => sum + bytes - header.length, 0);
  return `${JSON.stringify({ metadata: { total_size: total }, weight_map: Object.fromEntries(places) }, null, 2)}\n`;
}
