import { readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PermanentError } from "../../protocol/errors.ts";
import { readFileHeader, type SafetensorsEntry } from "../artifact/safetensors.ts";
import { type ModelConfig, parseConfig } from "./config.ts";
import { HEAD, weightShapes } from "./weights.ts";

/** A frozen base on disk. Its weights are never read by us: the runtime maps them out of the file. */
export type Checkpoint = {
  config: ModelConfig;
  /** Folder and name of the weights' file; no symbolic link, since the runtime refuses those. */
  folder: string;
  file: string;
  /** By Hugging Face name; offsets count from the beginning of the file. */
  weights: Map<string, SafetensorsEntry>;
};

/**
 * Opens a folder with `config.json` and `model.safetensors` (float32, one file).
 *
 * @throws PermanentError if a file is missing, or the weights are not exactly those of the configuration.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const config = parseConfig(await textOf(join(folder, "config.json")), join(folder, "config.json"));
  const path = await present(join(folder, "model.safetensors"), (file) => realpath(file, "utf8"));
  const { tensors } = await readFileHeader(path);
  const weights = new Map(tensors.filter(({ name }) => !ignored(name, config)).map((entry) => [entry.name, entry]));
  const expected = weightShapes(config);
  for (const { name, shape } of expected) {
    const entry = weights.get(name);
    if (entry === undefined) throw new PermanentError(`${path} has no tensor "${name}".`);
    if (entry.dtype !== "F32") throw new PermanentError(`${path}: "${name}" is ${entry.dtype}; only F32 is supported.`);
    if (entry.shape.join() !== shape.join()) {
      throw new PermanentError(`${path}: "${name}" is [${entry.shape}], but config.json asks for [${shape}].`);
    }
  }
  const known = new Set(expected.map(({ name }) => name));
  const stranger = [...weights.keys()].find((name) => !known.has(name));
  if (stranger !== undefined)
    throw new PermanentError(`${path} has a tensor "${stranger}" that a Llama does not have.`);
  return { config, folder: dirname(path), file: basename(path), weights };
}

/** Old exports carry tables that follow from the configuration, and a copy of the tied output layer. */
function ignored(name: string, config: ModelConfig): boolean {
  return name.endsWith(".rotary_emb.inv_freq") || (config.tied && name === HEAD);
}

function textOf(path: string): Promise<string> {
  return present(path, (file) => readFile(file, "utf8"));
}

async function present<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    throw new PermanentError(`The model file ${path} cannot be read.`, { cause });
  }
}
