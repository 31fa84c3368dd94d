import { join } from "node:path";
import { type Example, readJsonl } from "../../learning/data/examples.ts";
import { PermanentError } from "../../protocol/errors.ts";

import { sha256OfFile } from "../files.ts";
import type { Recipe } from "./recipe.ts";

/**
 * The held-out sets that a manifest names, in its order, from a folder of `DOMAIN.jsonl` files.
 * @throws PermanentError if a file is missing or is not the one that the manifest means.
 */
export async function readPublicSet(folder: string, { manifest, chat }: Recipe): Promise<Example[]> {
  const sets: Example[][] = [];
  for (const { domain, sha256, rows } of manifest.public) {
    const file = join(folder, `${domain}.jsonl`);
    const examples = readJsonl(file, domain, chat);
    if ((await sha256OfFile(file)) !== sha256 || examples.length !== rows) {
      throw new PermanentError(
        `${file} is not the public set of ${domain} that the manifest names (${rows} rows, sha256 ${sha256}); get that one.`,
      );
    }
    sets.push(examples);
  }
  return sets.flat();
}
