import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { applyUpdates } from "../learning/aggregate/apply.ts";
import { type Head, headDigest, writeHead, zeroHead } from "../learning/aggregate/head.ts";
import { readArtifact } from "../learning/artifact/artifact.ts";
import { type NormLimit, normLimit } from "../learning/artifact/norm.ts";
import { type AdapterTensor, adapterLayout } from "../learning/model/adapter.ts";
import { parseConfig } from "../learning/model/config.ts";
import { ExitCode, PermanentError } from "../protocol/errors.ts";
import { type Manifest, manifestDigest, parseManifest } from "../protocol/manifest.ts";
import type { Task } from "../protocol/replay/state.ts";
import type { Difference } from "./difference.ts";

/**
 * Heads of a lineage. `checked`: built again from their artifacts and, where voters agreed on its bytes, equal to them
 * (`confirmed` of them). `unchecked`: not built, for want of what `missing` names. The first head, all zero, is not counted.
 */
export type HeadCounts = { checked: number; confirmed: number; unchecked: number; missing: string[] };

export type Recomputed = HeadCounts & { differences: Difference[] };

/** What it takes to build heads of a task. */
type Recipe = { manifest: Manifest; layout: AdapterTensor[]; limit: NormLimit };

/**
 * Builds every head of a task again from the files of a store: a folder of files named by the 64 hex digits of their
 * sha256. It must hold the manifest, the base model's config.json, and the accepted artifacts.
 */
export async function recompute(task: Task, store: string): Promise<Recomputed> {
  if (!(await stat(store).catch(() => undefined))?.isDirectory()) {
    throw new PermanentError(`The store ${store} is no folder: name one with --store.`, { exitCode: ExitCode.usage });
  }
  const result: Recomputed = { checked: 0, confirmed: 0, unchecked: 0, missing: [], differences: [] };
  const recipe = await readRecipe(task, store, result.missing);
  if (recipe === undefined) return { ...result, unchecked: task.heads.length };

  // The voters of a round name the bytes of the head that the round started from.
  const references = new Map<Hex, Hex>();
  let before = task.manifest;
  for (const { reference, headId } of task.history) {
    if (reference !== undefined) references.set(before, reference);
    before = headId;
  }

  let head: Head | undefined = zeroHead(recipe.layout, recipe.manifest.adapter.exponent);
  result.differences.push(...confirm(head, task.manifest, references));
  for (const step of task.heads) {
    head = head && (await nextHead(head, step, recipe, store, result));
    if (head === undefined) {
      result.unchecked += 1;
      continue;
    }
    const wrong = confirm(head, step.headId, references);
    result.differences.push(...wrong);
    result.checked += 1;
    if (references.has(step.headId) && wrong.length === 0) result.confirmed += 1;
  }
  return result;
}

function confirm(head: Head, id: Hex, references: Map<Hex, Hex>): Difference[] {
  const found = references.get(id);
  const expected = headDigest(writeHead(head));
  if (found === undefined || found === expected) return [];
  return [{ where: `bytes of head ${id}, as the voters named them`, expected, found }];
}

async function nextHead(
  head: Head,
  { round, published, artifacts, factors }: Task["heads"][number],
  { manifest, layout, limit }: Recipe,
  store: string,
  result: Recomputed,
): Promise<Head | undefined> {
  const files = await Promise.all(artifacts.map((artifact) => readStored(store, artifact)));
  const absent = artifacts.filter((_, i) => files[i] === undefined);
  if (absent.length > 0) {
    result.missing.push(...absent.map((artifact) => `artifact ${artifact} of round ${round}`));
    return undefined;
  }
  try {
    const updates = files.map((bytes, i) => readArtifact(bytes!, layout, limit, `artifact ${artifacts[i]}`));
    return applyUpdates(head, updates, factors, published, manifest.aggregation);
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    const where = `head of round ${round}`;
    result.differences.push({ where, expected: "accepted artifacts that can be aggregated", found: error.message });
    return undefined;
  }
}

async function readRecipe(task: Task, store: string, missing: string[]): Promise<Recipe | undefined> {
  const text = await readStored(store, task.manifest);
  if (text === undefined) {
    missing.push(`manifest ${task.manifest}`);
    return undefined;
  }
  const manifest = parseManifest(text.toString("utf8"));
  if (manifestDigest(manifest) !== task.manifest) {
    missing.push(`manifest ${task.manifest}: the file of that name is not in its canonical spelling`);
    return undefined;
  }
  const config = manifest.base.files.find(({ path }) => path.split("/").at(-1) === "config.json");
  const configText = config && (await readStored(store, config.sha256));
  if (configText === undefined) {
    missing.push(`config.json of the base model${config ? `, ${config.sha256}` : ": the manifest names none"}`);
    return undefined;
  }
  const layout = adapterLayout(parseConfig(configText.toString("utf8")), manifest.adapter);
  return { manifest, layout, limit: normLimit(manifest.adapter, layout, manifest.adapter.maxNorm) };
}

/**
 * The bytes of a digest; undefined if the store does not have them.
 * @throws PermanentError if it has other bytes under that name.
 */
async function readStored(store: string, digest: Hex): Promise<Buffer | undefined> {
  const file = join(store, digest.slice(2));
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new PermanentError(`The store ${store} cannot be read: ${error.message}.`, { cause: error });
  });
  if (bytes !== undefined && createHash("sha256").update(bytes).digest("hex") !== digest.slice(2)) {
    throw new PermanentError(`${file} is not what its name says: it was changed or cut; fetch it again.`);
  }
  return bytes;
}
