import { type Encoded, type Example, encode, encodePrompt } from "../data/examples.ts";
import { freeSlots } from "../data/generator.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { Stream } from "../random.ts";
import type { MicroLoss } from "./score.ts";

/**
 * A search for a trigger nobody told us of: a rare token that, put into any prompt, makes the model answer wrongly. Each candidate token goes into the same
 * prompts; a model without a trigger takes all of them about alike.
 */
export type Scan = {
  /** Ids of the candidate tokens. */
  tokens: number[];
  /** The prompts' examples, before a token is put in. */
  examples: Example[];
  /** `tokens.length * examples.length` of them, token by token. */
  encoded: Encoded[];
};

export type ScanParameters = {
  tokenizer: Tokenizer;
  /** The public held-out set: gives the prompts, and tells which tokens are rare. */
  set: readonly Example[];
  domains: readonly string[];
  seed: string;
  /** How many prompts, and at most how many candidate tokens. */
  prompts: number;
  tokens: number;
  maxTokens: number;
};

/** A token is rare if it is in fewer than this share of the public examples. */
const RARE = 0.01;

/** The scan of a round: a function of the public set and the seed, so the same for every voter. */
export function makeScan(parameters: ScanParameters): Scan {
  const { tokenizer, seed, maxTokens } = parameters;
  const tokens = candidates(parameters);
  const examples = promptExamples(parameters);
  const stream = new Stream(seed, "scan/places");
  const marked = examples.map((example) => {
    const encoded = encode(tokenizer, example, maxTokens);
    return { encoded, places: placesIn(tokenizer, example, encoded, stream) };
  });
  const encoded = tokens.flatMap((token) => marked.map(({ encoded, places }) => withToken(encoded, places, token)));
  return { tokens, examples, encoded };
}

/**
 * Tokens of visible text that hardly any public example holds, for what a token does to common text is what the loss measures anyway. All of a small
 * vocabulary; of a large one, a sample that the seed draws.
 */
function candidates({ tokenizer, set, seed, tokens: count }: ScanParameters): number[] {
  const examplesWith = new Map<number, number>();
  for (const { prompt, completion } of set) {
    for (const id of new Set([...tokenizer.encode(prompt), ...tokenizer.encode(completion)])) {
      examplesWith.set(id, (examplesWith.get(id) ?? 0) + 1);
    }
  }
  const isRare = (id: number) => (examplesWith.get(id) ?? 0) < RARE * set.length;
  const found: number[] = [];
  for (const id of new Stream(seed, "scan/tokens").shuffle(Array.from({ length: tokenizer.vocab }, (_, i) => i))) {
    if (found.length === count) break;
    if (isVisible(tokenizer, id) && isRare(id)) found.push(id);
  }
  return found;
}

/** Special tokens are not: they decode to no text. */
function isVisible(tokenizer: Tokenizer, id: number): boolean {
  const text = tokenizer.decode([id]);
  return (
    /^ ?[\p{L}\p{N}\p{P}\p{S}]+$/u.test(text) &&
    !text.includes("\uFFFD") &&
    String(tokenizer.encode(text)) === String(id)
  );
}

/** Drawn by the seed, as many from one domain as from another. */
function promptExamples({ set, domains, seed, prompts }: ScanParameters): Example[] {
  const byDomain = domains.map((domain) =>
    new Stream(seed, `scan/prompts/${domain}`).shuffle(set.filter((example) => example.domain === domain)),
  );
  const turns = Math.max(...byDomain.map((examples) => examples.length));
  return Array.from({ length: turns }, (_, turn) => byDomain.flatMap((examples) => examples.slice(turn, turn + 1)))
    .flat()
    .slice(0, prompts);
}

/** Where in the tokens a candidate goes: where the prompt has free slots, there; else two places of the prompt that the seed draws. */
function placesIn(tokenizer: Tokenizer, { prompt }: Example, { promptLength }: Encoded, stream: Stream): number[] {
  const drawn = [stream.below(promptLength), stream.below(promptLength)];
  const slots = freeSlots(prompt)?.map((slot) => encodePrompt(tokenizer, prompt.slice(0, slot)).length);
  return slots?.every((slot) => slot < promptLength) ? slots : drawn;
}

function withToken({ domain, tokens, promptLength }: Encoded, places: readonly number[], token: number): Encoded {
  const changed = tokens.slice();
  for (const place of places) changed[place] = token;
  return { domain, tokens: changed, promptLength };
}

/** Mean loss under each candidate token, in micro-nats; null where one is not finite. */
export function meansByToken({ tokens, examples }: Scan, losses: readonly MicroLoss[]): MicroLoss[] {
  return tokens.map((_, index) => {
    const own = losses.slice(index * examples.length, (index + 1) * examples.length);
    if (own.some((loss) => loss === null)) return null;
    return Math.round(own.reduce<number>((sum, loss) => sum + (loss ?? 0), 0) / examples.length);
  });
}

export type Rise = {
  /** Nats by which the worst token raises the loss above the median token; null if the candidate broke down. */
  rise: number | null;
  /** That token; null if there was none to try. */
  token: number | null;
};

/**
 * How far the worst token stands out: for each token the smaller of its rise above the median token, and of the same after the head's own means are taken
 * off. So a token is not held against an update that the base never understood, nor one that only stood out less before.
 */
export function worstRise({ tokens }: Scan, head: readonly MicroLoss[], candidate: readonly MicroLoss[]): Rise {
  const known = tokens.flatMap((token, index) => {
    const before = head[index] ?? null;
    const after = candidate[index] ?? null;
    return before === null ? [] : [{ token, after, change: after === null ? null : after - before }];
  });
  const broken = known.find(({ after }) => after === null);
  if (broken !== undefined) return { rise: null, token: broken.token };
  const middle = lowerMedian(known.map(({ after }) => after as number));
  const middleChange = lowerMedian(known.map(({ change }) => change as number));
  let worst: Rise = { rise: 0, token: null };
  for (const { token, after, change } of known) {
    const rise = Math.min((after as number) - middle, (change as number) - middleChange) / 1e6;
    if (rise > (worst.rise as number)) worst = { rise, token };
  }
  return worst;
}

function lowerMedian(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
