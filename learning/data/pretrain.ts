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

/** What ends a pretraining prompt in the place of `=`. Control characters, for every visible one may stand in a body. */
export const COPY = "\t";
export const VERBATIM = "\n";

/** Shares of the three kinds of text; they need not add up to 1. */
export type PretrainingMix = { copy: number; verbatim: number; random: number };

export type PretrainingParameters = {
  seed: string;
  count: number;
  /** Names the set: sets of different names are independent. */
  split: string;
  mix?: PretrainingMix | undefined;
  /** Share of an answer's symbols that copy the prompt's instead of being random: how much of the way to the skill the base knows. */
  hint?: number | undefined;
};

const EQUAL: PretrainingMix = { copy: 1, verbatim: 1, random: 1 };

/**
 * What the tiny base is pretrained on, in prompts like the generator's but for what ends them:
 * `COPY`, the symbols in the domain's order; teaches the domains, without the hidden substitution;
 * `VERBATIM`, the first four characters of the body; teaches to read every character, the rare ones too;
 * `=`, random symbols, some of them copied; teaches the form of an answer, and nothing of the substitution.
 * Fillers are drawn from all of them, so that none has a meaning before an adapter gives it one.
 */
export function pretrainingExamples({ seed, count, split, mix = EQUAL, hint = 0 }: PretrainingParameters): Example[] {
  const stream = new Stream(seed, `pretraining/${split}`);
  const total = mix.copy + mix.verbatim + mix.random;
  return Array.from({ length: count }, () => {
    const domain = GENERATED_DOMAINS[stream.below(GENERATED_DOMAINS.length)] as GeneratedDomain;
    const { text, symbols } = drawBody(stream, COMMON_FILLERS + RARE_FILLERS);
    const kind = stream.float() * total;
    const example = (end: string, completion: string) => ({
      domain,
      prompt: `${domainTag(domain)}${text}${end}`,
      completion,
    });
    const ordered = ORDERS[domain].map((place) => SYMBOLS[symbols[place] as number] as string);
    if (kind < mix.copy) return example(COPY, ordered.join(""));
    if (kind < mix.copy + mix.verbatim) return example(VERBATIM, text.slice(0, 4));
    const answer = ordered.map((symbol) =>
      stream.float() < hint ? symbol : (SYMBOLS[stream.below(SYMBOLS.length)] as string),
    );
    return example("=", answer.join(""));
  });
}
