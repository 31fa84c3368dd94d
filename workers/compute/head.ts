import { readFile } from "node:fs/promises";
import { applyUpdates } from "../../learning/aggregate/apply.ts";
import { type Head, headDigest, readHead, writeHead, zeroHead } from "../../learning/aggregate/head.ts";
import { readArtifact } from "../../learning/artifact/artifact.ts";
import { writeFileAtomic } from "../files.ts";
import type { RequestOf, ResultOf } from "./protocol.ts";
import type { Recipe, Recipes } from "./recipe.ts";

/** Reads a head that this operator built before; without a file, the all-zero first head. */
export async function openHead({ layout, manifest }: Recipe, file: string | null): Promise<Head> {
  const { exponent } = manifest.adapter;
  return file === null ? zeroHead(layout, exponent) : readHead(await readFile(file), layout, exponent, file);
}

/**
 * Writes the head that follows from a base by accepted updates; see `applyUpdates`.
 * @throws PermanentError if an artifact is not one of this task.
 */
export async function computeHead(recipes: Recipes, request: RequestOf<"aggregate">): Promise<ResultOf<"aggregate">> {
  const recipe = await recipes(request);
  const base = await openHead(recipe, request.base);
  const updates = [];
  for (const { file } of request.updates) {
    updates.push(readArtifact(await readFile(file), recipe.layout, recipe.limit, file));
  }
  const factors = request.updates.map(({ factor }) => BigInt(factor));
  const head = applyUpdates(base, updates, factors, request.published, recipe.manifest.aggregation);
  const bytes = writeHead(head);
  await writeFileAtomic(request.out, bytes);
  return { digest: headDigest(bytes) };
}
