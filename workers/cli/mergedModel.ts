import { randomBytes } from "node:crypto";
import { copyFile, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Encoded, type Example, encode } from "../../learning/data/examples.ts";
import { type WrittenFile, writeMerge } from "../../learning/export/merge.ts";
import { planMerge } from "../../learning/export/mergePlan.ts";
import type { Computing } from "../../learning/graph/session.ts";
import { openBaseModel } from "../../learning/model/baseModel.ts";
import type { Checkpoint } from "../../learning/model/checkpoint.ts";
import { availableMemory } from "../../learning/train/fit.ts";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { openFittingEvaluator } from "../compute/evaluator.ts";
import type { Recipe } from "../compute/recipe.ts";
import { requireSpace, sha256OfFile } from "../files.ts";

/** Examples on which a merged model is compared with base and adapter. */
const COMPARED = 8;
/** Largest difference of an example's loss, in nats a token, that rounding explains: of weights in float32, and in 16 bits. */
export const TOLERANCE = { float32: 1e-4, half: 0.25 };

/** Losses of the merged model beside those of base and adapter, in nats a token. */
export type Comparison = { examples: number; largest: number; mean: number };

export type MergedModel = { folder: string; dtypes: string[]; files: WrittenFile[]; comparison: Comparison };

export type MergedOptions = {
  /** The base model's folder. */
  model: string;
  /** The head, as a flat adapter. */
  flat: Float32Array;
  /** Where the folder is made. It must not be there yet. */
  folder: string;
  float32: boolean;
  /** Some are drawn for the comparison. */
  examples: readonly Example[];
  computing: Computing;
  signal: AbortSignal;
  tell: (text: string) => void;
};

/** @throws PermanentError if there is something at the place of a folder that will be made. */
export async function requireFree(folder: string): Promise<void> {
  const there = await stat(folder).catch(() => undefined);
  if (there !== undefined) throw new PermanentError(`${folder} is there already: remove it, or name another --out.`);
}

/**
 * Writes the base with the head merged into it as a Hugging Face folder, whole or not at all: under another name, read back, compared with base and
 * adapter on some examples, then renamed.
 * @throws PassingError without room on the disk or if the disk gives back other bytes, PermanentError if the losses differ by more than rounding explains.
 */
export async function writeMergedModel(recipe: Recipe, options: MergedOptions): Promise<MergedModel> {
  const { model, flat, folder, float32, signal, tell } = options;
  const { checkpoint, spec, manifest } = recipe;
  const merge = await planMerge({ model, checkpoint, spec, flat, dtype: float32 ? "F32" : undefined });
  await mkdir(dirname(folder), { recursive: true });
  await requireSpace(dirname(folder), merge.bytes);
  const partial = `${folder}.${randomBytes(6).toString("hex")}.part`;
  try {
    const files = await writeMerge(merge, partial, { signal, onFile: (name) => tell(`Merging ${name}.\n`) });
    const own = new Set(checkpoint.files);
    const others = manifest.base.files.map(({ path }) => path).filter((path) => !own.has(path));
    for (const path of others) {
      await mkdir(dirname(join(partial, path)), { recursive: true });
      await copyFile(join(model, path), join(partial, path));
    }
    tell("Reading it back.\n");
    await checkFiles(partial, files);
    const comparison = await compare(recipe, (await openBaseModel(partial)).checkpoint, options);
    checkComparison(comparison, merge.dtypes.length === 1 && merge.dtypes[0] === "F32");
    await rename(partial, folder);
    return { folder, dtypes: merge.dtypes, files, comparison };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function checkFiles(folder: string, files: readonly WrittenFile[]): Promise<void> {
  for (const { name, sha256 } of files) {
    if ((await sha256OfFile(join(folder, name))) === sha256) continue;
    throw new PassingError(`The disk gave back other bytes than were written to ${join(folder, name)}.`);
  }
}

async function compare(recipe: Recipe, merged: Checkpoint, options: MergedOptions): Promise<Comparison> {
  const { checkpoint, spec, tokenizer, manifest } = recipe;
  const { flat, examples, computing, signal, tell } = options;
  const step = Math.max(1, Math.floor(examples.length / COMPARED));
  const some = examples.filter((_, i) => i % step === 0).slice(0, COMPARED);
  const encoded = some.map((example): Encoded => encode(tokenizer, example, manifest.maxTokens));
  const longest = Math.max(...encoded.map(({ tokens }) => tokens.length));
  const available = availableMemory();
  tell(`Comparing the losses of ${encoded.length} examples.\n`);
  const lossesOf = async (model: Checkpoint, adapter: Float32Array) => {
    signal.throwIfAborted();
    const { evaluator } = await openFittingEvaluator(model, spec, { ...computing, longest, available, signal });
    try {
      return await evaluator.losses(adapter, encoded);
    } finally {
      await evaluator.close();
    }
  };
  const wanted = await lossesOf(checkpoint, flat);
  const found = await lossesOf(merged, new Float32Array(flat.length)); // no adapter: it is merged
  const differences = wanted.map((loss, i) => Math.abs(loss - (found[i] as number)));
  return {
    examples: encoded.length,
    largest: Math.max(...differences),
    mean: differences.reduce((sum, difference) => sum + difference, 0) / differences.length,
  };
}

function checkComparison(comparison: Comparison, isFloat32: boolean): void {
  const tolerance = isFloat32 ? TOLERANCE.float32 : TOLERANCE.half;
  if (comparison.largest <= tolerance) return;
  throw new PermanentError(
    `The merged model's losses differ by up to ${comparison.largest} nats a token from those of base and adapter, more than rounding explains (${tolerance})${isFloat32 ? "" : ": try --float32"}.`,
  );
}
