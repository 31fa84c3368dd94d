import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PermanentError } from "../../protocol/errors.ts";
import { readFileHeader, type SafetensorsEntry } from "../artifact/safetensors.ts";
import { type ModelConfig, parseConfig } from "./config.ts";
import { readBounded } from "./readBounded.ts";
import { INDEX_FILE, readIndex, type ShardIndex } from "./shardIndex.ts";
import { FLOATS, HEAD, requireBlocks, type StoredShape, scalesName, storedShapes, weightShapes } from "./weights.ts";

/** Where a weight lies: `file` is a name in the checkpoint's folder; the offset counts from the beginning of that file. */
export type StoredWeight = SafetensorsEntry & {
  file: string;
  /** Of a weight that is stored in 4 bits: see `storedShapes`. */
  scales?: StoredWeight | undefined;
};

/** A frozen base on disk. Its weights are never read by us: the runtime maps them out of the files. */
export type Checkpoint = {
  config: ModelConfig;
  /** Folder of the weights' files, behind all symbolic links, since the runtime refuses those. */
  folder: string;
  /** By Hugging Face name. */
  weights: Map<string, StoredWeight>;
  /** The files that this was read from, by their names in the model's folder. */
  files: string[];
};

const CONFIG_FILE = "config.json";
const SINGLE_FILE = "model.safetensors";
const MAX_CONFIG_BYTES = 1 << 20;

/**
 * Opens a Hugging Face folder: `config.json`, and `model.safetensors` or the shards that `model.safetensors.index.json` names. Reads headers only.
 *
 * @throws PermanentError that names file and tensor, if a file is missing or malformed, or the weights are not exactly those of the configuration.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const configPath = join(folder, CONFIG_FILE);
  const config = parseConfig(await readBounded(configPath, MAX_CONFIG_BYTES), configPath);
  if (config.quantised) requireBlocks(config, configPath);
  const index = (await isThere(join(folder, SINGLE_FILE))) ? undefined : await readIndex(folder);
  const shards = index === undefined ? [SINGLE_FILE] : index.shards;

  const expected = new Map(storedShapes(config).map((tensor) => [tensor.name, tensor]));
  const stored = new Map<string, StoredWeight>();
  const homes = new Set<string>();
  for (const shard of shards) {
    const path = await regularFile(join(folder, shard));
    homes.add(dirname(path));
    const { tensors } = await readFileHeader(path, { where: join(folder, shard) });
    for (const tensor of tensors) {
      if (index !== undefined) checkPlace(index, tensor.name, shard);
      checkStorage(tensor, expected.get(tensor.name)?.dtypes ?? FLOATS, join(folder, shard));
      stored.set(tensor.name, { ...tensor, file: basename(path) });
    }
  }
  if (homes.size > 1) {
    throw new PermanentError(`${folder}: the weights' files lead to different folders (${[...homes].join(", ")}).`);
  }
  for (const [name, shard] of index?.places ?? []) {
    if (!stored.has(name))
      throw new PermanentError(`${join(folder, shard)} has no tensor "${name}" as ${INDEX_FILE} says.`);
  }
  const where = join(folder, index === undefined ? SINGLE_FILE : INDEX_FILE);
  return {
    config,
    folder: [...homes][0] as string,
    weights: expectedOnly(stored, expected, config, where),
    files: [CONFIG_FILE, ...(index === undefined ? [] : [INDEX_FILE]), ...shards],
  };
}

/** The weights that the configuration asks for, if they are all there and nothing else is. */
function expectedOnly(
  stored: ReadonlyMap<string, StoredWeight>,
  expected: ReadonlyMap<string, StoredShape>,
  config: ModelConfig,
  where: string,
): Map<string, StoredWeight> {
  for (const { name, shape } of expected.values()) {
    const weight = stored.get(name);
    if (weight === undefined) throw new PermanentError(`${where} has no tensor "${name}".`);
    if (weight.shape.join() !== shape.join()) {
      throw new PermanentError(`${where}: "${name}" is [${weight.shape}], but config.json asks for [${shape}].`);
    }
  }
  for (const name of stored.keys()) {
    if (expected.has(name) || ignored(name, config)) continue;
    throw new PermanentError(
      `${where} has a tensor "${name}" that a ${config.family} of this config.json does not have.`,
    );
  }
  const weights = new Map<string, StoredWeight>();
  for (const { name } of weightShapes(config)) {
    const weight = stored.get(name) as StoredWeight;
    const scales = expected.has(scalesName(name)) ? stored.get(scalesName(name)) : undefined;
    weights.set(name, scales === undefined ? weight : { ...weight, scales });
  }
  return weights;
}

/** Old exports carry tables that follow from the configuration, and a copy of the tied output layer. */
function ignored(name: string, config: ModelConfig): boolean {
  return name.endsWith(".rotary_emb.inv_freq") || (config.tied && name === HEAD);
}

function checkPlace({ places }: ShardIndex, name: string, shard: string): void {
  const place = places.get(name);
  if (place === shard) return;
  const elsewhere = place === undefined ? "does not name it" : `says it is in ${place}`;
  throw new PermanentError(`${shard} has a tensor "${name}", but ${INDEX_FILE} ${elsewhere}.`);
}

function checkStorage(
  { name, dtype, offset, bytes, shape }: SafetensorsEntry,
  dtypes: StoredShape["dtypes"],
  where: string,
): void {
  if (!dtypes.includes(dtype)) {
    const allowed =
      dtypes === FLOATS ? `only ${FLOATS.join(", ")} are supported` : `in a quantised base it is ${dtypes}`;
    throw new PermanentError(`${where}: "${name}" is ${dtype}; ${allowed}.`);
  }
  const element = bytes / shape.reduce((product, n) => product * n, 1);
  if (offset % element !== 0) {
    throw new PermanentError(
      `${where}: "${name}" begins at byte ${offset}, which is no multiple of ${element}; save the file anew with a current safetensors.`,
    );
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
}

/** The path behind all symbolic links, if it leads to a regular file: opening a pipe would wait for ever. */
async function regularFile(path: string): Promise<string> {
  let real: string;
  let isFile: boolean;
  try {
    real = await realpath(path, "utf8");
    isFile = (await stat(real)).isFile();
  } catch (cause) {
    throw new PermanentError(`The model file ${path} cannot be read.`, { cause });
  }
  if (!isFile) throw new PermanentError(`The model file ${path} is no regular file.`);
  return real;
}
