import { createHash } from "node:crypto";
import type { Mutant } from "./mutants.ts";

/** `size` mutants that a seed picks, of each contract and operator in proportion; in their order. */
export function sampleOf(mutants: readonly Mutant[], size: number, seed: string): Mutant[] {
  if (size >= mutants.length) return [...mutants];
  const strata = Object.values(Object.groupBy(mutants, ({ path, operator }) => `${path} ${operator}`));
  const ranked = strata.flatMap((stratum = []) => {
    const drawn = stratum.toSorted((a, b) => (lot(seed, a.id) < lot(seed, b.id) ? -1 : 1));
    // Taken by rank, each stratum has about the same part of its mutants in any first `size`.
    return drawn.map((mutant, k) => ({
      mutant,
      rank: (k + Number(`0x${lot(seed, mutant.id)}`) / 2 ** 32) / drawn.length,
    }));
  });
  const picked = new Set(
    ranked
      .sort((a, b) => a.rank - b.rank)
      .slice(0, size)
      .map(({ mutant }) => mutant),
  );
  return mutants.filter((mutant) => picked.has(mutant));
}

function lot(seed: string, id: string): string {
  return createHash("sha256").update(`${seed}\n${id}`).digest("hex").slice(0, 8);
}
