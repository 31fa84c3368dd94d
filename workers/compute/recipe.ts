import { readFile } from "node:fs/promises";
import { type NormLimit, normLimit } from "../../learning/artifact/norm.ts";
import { type AdapterSpec, type AdapterTensor, adapterLayout } from "../../learning/model/adapter.ts";
import { type BaseModel, openBaseModel } from "../../learning/model/baseModel.ts";
import { PermanentError } from "../../protocol/errors.ts";
import { type Manifest, parseManifest } from "../../protocol/manifest.ts";

/** A manifest with its base model opened: what every piece of work of one task starts from. */
export type Recipe = Omit<BaseModel, "files"> & {
  manifest: Manifest;
  spec: AdapterSpec;
  layout: AdapterTensor[];
  limit: NormLimit;
};

/**
 * Opens a recipe from the manifest's file and the base model's folder.
 *
 * @throws PermanentError if one of them is faulty, or a file of the model would be read that the manifest does not pin by its digest.
 */
export async function openRecipe({ manifest: file, model }: { manifest: string; model: string }): Promise<Recipe> {
  const manifest = parseManifest(await readFile(file, "utf8"));
  const { rank, alpha, targets, seed, maxNorm } = manifest.adapter;
  const spec: AdapterSpec = { rank, alpha, targets, seed };
  const { files, ...base } = await openBaseModel(model);
  const pinned = new Set(manifest.base.files.map(({ path }) => path));
  const loose = files.find((path) => !pinned.has(path));
  if (loose !== undefined) {
    throw new PermanentError(
      `The manifest's base.files do not name ${loose}, which is a part of ${model}: use the folder that the manifest was written for.`,
    );
  }
  const layout = adapterLayout(base.checkpoint.config, spec);
  return { ...base, manifest, spec, layout, limit: normLimit(spec, layout, maxNorm) };
}

/** Opens each recipe once; a compute process has one as a rule. */
export type Recipes = (names: { manifest: string; model: string }) => Promise<Recipe>;

export function openRecipes(): Recipes {
  const known = new Map<string, Promise<Recipe>>();
  return (names) => {
    const key = JSON.stringify([names.manifest, names.model]);
    const recipe = known.get(key) ?? openRecipe(names);
    known.set(key, recipe);
    recipe.catch(() => known.delete(key)); // a file that is not there yet may come
    return recipe;
  };
}
