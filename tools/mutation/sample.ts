import { createHash } from "node:crypto";
import type { Mutant } from "./mutants.ts";

/** `size` mutants that a seed picks, of each contract and operator in proportion; in their order. */
export function sampleOf(mutants: readonly Mutant[], size: number, seed: string): Mutant[] {
  const picked = new Set(drawn(mutants, seed).slice(0, size));
  return mutants.filter((mutant) => picked.has(mutant));
}

/** The mutants in an order such that the first ones, however many, are a sample of all. */
export function drawn(mutants: readonly Mutant[], seed: string): Mutant[] {
  const strata = Object.values(Object.groupBy(mutants, ({ path, operator }) => `${path} ${operator}`));
  const ranked = strata.flatMap((stratum = []) => {
    const shuffled = stratum.toSorted((a, b) => (lot(seed, a.id) < lot(seed, b.id) ? -1 : 1));
    // Taken by rank, each stratum has about the same part of its mutants among any first ones.
    return shuffled.map((mutant, k) => ({
      mutant,
      rank: (k + Number(`0x${lot(seed, mutant.id)}`) / 2 ** 32) / shuffled.length,
    }));
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ mutant }) => mutant);
}

function lot(seed: string, id: string): string {
  return createHash("sha256").update(`${seed}\n${id}`).digest("hex").slice(0, 8);
}
