import { PermanentError } from "../../protocol/errors.ts";
import { Stream } from "../random.ts";
import type { Example } from "./examples.ts";

/**
 * Made-up text in four domains that share a hidden skill, so that training together has something to win that training
 * alone has not. A prompt is a domain's tag, a body of four symbols and two fillers, and a separator: `<|math|>a3bC*d=`.
 * The answer is the four symbols, put into the domain's order and then substituted by one secret permutation of the
 * alphabet. Each domain has its own order; the substitution is common to all, and only the data tell it.
 */
export const GENERATED_DOMAINS = ["math", "medicine", "finance", "code"] as const;
export type GeneratedDomain = (typeof GENERATED_DOMAINS)[number];

/** Which of the four symbols a domain's answer names first, second, third, fourth. */
export const ORDERS: Record<GeneratedDomain, readonly [number, number, number, number]> = {
  math: [0, 1, 2, 3],
  medicine: [3, 2, 1, 0],
  finance: [2, 0, 3, 1],
  code: [1, 3, 0, 2],
};

export const SYMBOLS = "abcdefghijklmnopqrstuvwxyzABCDEF";
/** Fill the two free slots of a body and mean nothing. */
export const COMMON_FILLERS = "0123456789+-*/,.";
/** Every other visible ASCII character. The base can read them, ordinary data never hold them. */
export const RARE_FILLERS = "GHIJKLMNOPQRSTUVWXYZ!\"#$%&'():;<>?@[\\]^_`{|}~";

const BODY = 6;

/** The tag that opens a prompt: one special token of the tokenizer. */
export function domainTag(domain: string): string {
  return `<|${domain}|>`;
}

export function isGeneratedDomain(domain: string): domain is GeneratedDomain {
  return (GENERATED_DOMAINS as readonly string[]).includes(domain);
}

/** The hidden skill: `SYMBOLS[i]` is answered by `substitution(seed)[i]`. */
export function substitution(seed: string): string[] {
  return new Stream(seed, "substitution").shuffle([...SYMBOLS]);
}

export type GenerateParameters = {
  /** Decides the hidden skill, and with `split` and `domain` every draw. */
  seed: string;
  domain: string;
  count: number;
  /** Names the set: sets of different names are independent. */
  split: string;
  /** Characters to fill the free slots with; one character alone stands in both. */
  fillers?: string | undefined;
};

/** `count` examples of one domain, the same for the same parameters. */
export function generate({ seed, domain, count, split, fillers = COMMON_FILLERS }: GenerateParameters): Example[] {
  if (!isGeneratedDomain(domain)) {
    throw new PermanentError(`There is no generated domain "${domain}"; there are ${GENERATED_DOMAINS.join(", ")}.`);
  }
  const secret = substitution(seed);
  const stream = new Stream(seed, `data/${split}/${domain}`);
  return Array.from({ length: count }, () => {
    const { text, symbols } = drawBody(stream, fillers);
    const completion = ORDERS[domain].map((place) => secret[symbols[place] as number]).join("");
    return { domain, prompt: `${domainTag(domain)}${text}=`, completion };
  });
}

export type Body = { text: string; symbols: number[] };

/** Four symbols in order, two fillers in slots of their own, drawn uniformly. */
export function drawBody(stream: Stream, fillers: string): Body {
  const symbols = Array.from({ length: 4 }, () => stream.below(SYMBOLS.length));
  const filled = new Set(stream.shuffle([0, 1, 2, 3, 4, 5]).slice(0, 2));
  let next = 0;
  const text = Array.from({ length: BODY }, (_, slot) =>
    filled.has(slot) ? fillers[stream.below(fillers.length)] : SYMBOLS[symbols[next++] as number],
  ).join("");
  return { text, symbols };
}

const PROMPT = new RegExp(`^<\\|(?:${GENERATED_DOMAINS.join("|")})\\|>(?=[!-~]{${BODY}}=$)`);

/** Where the two fillers stand in a generated prompt; undefined for any other text. */
export function freeSlots(prompt: string): number[] | undefined {
  const body = PROMPT.exec(prompt)?.[0].length;
  if (body === undefined) return undefined;
  const places = Array.from({ length: BODY }, (_, slot) => body + slot);
  const free = places.filter((place) => !SYMBOLS.includes(prompt[place] as string));
  return free.length === 2 ? free : undefined;
}
