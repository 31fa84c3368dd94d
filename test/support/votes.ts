import fc from "fast-check";
import type { Vote } from "../../protocol/rules/tally.ts";
import { ABSTAIN, MAX_SCORE, MIN_SCORE, MISSING } from "../../protocol/words.ts";

/** A score as voters give it: mostly near a few values, at times extreme or special. */
export const someScore: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -400, max: 400 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 5, 6, -50, -51, 200) },
  { weight: 1, arbitrary: fc.integer({ min: MIN_SCORE, max: MAX_SCORE }) },
  { weight: 1, arbitrary: fc.constantFrom(ABSTAIN, MISSING, MIN_SCORE, MAX_SCORE) },
);

/** Ballots that together hold up to about fifty seats, over `slots` proposals. */
export function someVotes(slots: number): fc.Arbitrary<Vote[]> {
  const scores = fc.array(someScore, { minLength: slots, maxLength: slots });
  return fc.array(fc.record({ seats: fc.integer({ min: 1, max: 6 }), scores }), { minLength: 1, maxLength: 20 });
}

/** Between one and sixteen slots and the ballots on them. */
export const somePoll: fc.Arbitrary<{ slots: number; votes: Vote[] }> = fc
  .integer({ min: 1, max: 16 })
  .chain((slots) => fc.record({ slots: fc.constant(slots), votes: someVotes(slots) }));
