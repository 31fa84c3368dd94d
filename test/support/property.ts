import fc from "fast-check";

/** Seed of every property; `FLOCK_SEED=... node --test FILE` plays other cases. A failure prints the seed it ran with. */
export const propertySeed = Number(process.env.FLOCK_SEED ?? 0xf10c);

/** Checks that a property holds for `runs` random cases. */
export function holds<T>(cases: fc.Arbitrary<T>, property: (value: T) => void, runs = 200): void {
  fc.assert(fc.property(cases, property), { seed: propertySeed, numRuns: runs });
}
