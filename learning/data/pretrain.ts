import { Stream } from "../random.ts";
import type { Example } from "./examples.ts";
import {
  COMMON_FILLERS,
  domainTag,
  drawBody,
  GENERATED_DOMAINS,
  type GeneratedDomain,
  ORDERS,
  RARE_FILLERS,
  SYMBOLS,
} from "./generator.ts";

/** Shares of the three kinds of text; they need not add up to 1. */
export type PretrainingMix = { copy: number; verbatim: number; random: number };

export type PretrainingParameters = {
  seed: string;
  count: number;
  /** Names the set: sets of different names are independent. */
  split: string;
  mix?: PretrainingMix | undefined;
};

const EQUAL: PretrainingMix = { copy: 1, verbatim: 1, random: 1 };

/**
 * What the tiny base is pretrained on, in prompts like the generator's but for the separator:
 * `:` copy, the symbols in the domain's order; teaches the domains, without the hidden substitution;
 * `!` verbatim, the first four characters of the body; teaches to read every character, the rare ones too;
 * `=` four random symbols; teaches the form of an answer and nothing of its content.
 * Fillers are drawn from all of them, so that none has a meaning before an adapter gives it one.
 */
export function pretrainingExamples({ seed, count, split, mix = EQUAL }: PretrainingParameters): Example[] {
  const stream = new Stream(seed, `pretraining/${split}`);
  const total = mix.copy + mix.verbatim + mix.random;
  return Array.from({ length: count }, () => {
    const domain = GENERATED_DOMAINS[stream.below(GENERATED_DOMAINS.length)] as GeneratedDomain;
    const { text, symbols } = drawBody(stream, COMMON_FILLERS + RARE_FILLERS);
    const kind = stream.float() * total;
    const example = (separator: string, completion: string) => ({
      domain,
      prompt: `${domainTag(domain)}${text}${separator}`,
      completion,
    });
    if (kind < mix.copy) return example(":", ORDERS[domain].map((place) => SYMBOLS[symbols[place] as number]).join(""));
    if (kind < mix.copy + mix.verbatim) return example("!", text.slice(0, 4));
    return example("=", Array.from({ length: 4 }, () => SYMBOLS[stream.below(SYMBOLS.length)]).join(""));
  });
}
