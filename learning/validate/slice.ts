import { PermanentError } from "../../protocol/errors.ts";
import type { Example } from "../data/examples.ts";
import { Stream } from "../random.ts";

export type SliceParameters = {
  seed: string;
  domains: readonly string[];
  /** Examples in all. */
  examples: number;
  /** Of these at least so many from each domain. */
  perDomain: number;
};

/**
 * The part of the public held-out set on which every voter of a round measures: chosen by the round's seed, which nobody knew while proposals were made, so
 * an update cannot be fitted to it. First `perDomain` of each domain, then any of the rest. The order of `set` matters.
 * @throws PermanentError if the set is too small.
 */
export function sharedSlice(
  set: readonly Example[],
  { seed, domains, examples, perDomain }: SliceParameters,
): Example[] {
  const chosen: Example[] = [];
  const rest: Example[] = [];
  for (const domain of domains) {
    const shuffled = shuffledDomain(set, domain, seed);
    if (shuffled.length < perDomain) {
      throw new PermanentError(
        `The public set holds ${shuffled.length} examples of ${domain}, but the manifest asks for ${perDomain} a domain.`,
      );
    }
    for (const [i, example] of shuffled.entries()) (i < perDomain ? chosen : rest).push(example);
  }
  const others = new Stream(seed, "slice").shuffle(rest).slice(0, examples - chosen.length);
  for (const example of others) chosen.push(example);
  if (chosen.length < examples) {
    throw new PermanentError(`The public set yields ${chosen.length} examples, but the manifest asks for ${examples}.`);
  }
  return chosen;
}

function shuffledDomain(set: readonly Example[], domain: string, seed: string): Example[] {
  return new Stream(seed, `slice/${domain}`).shuffle(set.filter((example) => example.domain === domain));
}

/** The voter's own split: all of its set, or so many of a larger one; the same in every round, so that rounds compare. */
export function ownSplit(set: readonly Example[], examples: number): Example[] {
  return set.length <= examples ? [...set] : new Stream("own", "split").shuffle([...set]).slice(0, examples);
}
