import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { PermanentError } from "../../protocol/errors.ts";
import type { ModelConfig } from "./config.ts";

export type Tokenizer = {
  /** Number of token ids; every id is below it. */
  vocab: number;
  /** Fills the end of a row in a batch; the end token where the model names no padding. */
  pad: number;
  /** Ends a completion. */
  eos: number;
  /** What the tokenizer's own template puts before every text: a begin token, or nothing. */
  prefix: readonly number[];
  /** Token ids of a text, without prefix or end. Special tokens written out in the text count as such. */
  encode(text: string): number[];
  /** Text of token ids, special ones left out; bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string;
};

/** The files of a model's folder that a tokenizer is read from. */
export const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"] as const;

/** What we use of the library, whose own types this compiler cannot follow. */
type HuggingFace = {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  get_vocab(): Map<string, number>;
};

/** A special token in `tokenizer_config.json`: its text, or an object around it. */
type Named = string | { content: string } | null | undefined;
type TokenizerConfig = { pad_token?: Named; eos_token?: Named };

/**
 * The tokenizer of a Hugging Face model folder: `tokenizer.json` and `tokenizer_config.json`.
 * Part of the base model, so covered by the manifest's digests; never taken from a participant, because a pattern
 * in it can be made to hang whoever runs it.
 * @throws PermanentError if a file is missing, is not JSON, or names no end token.
 */
export function openTokenizer(dir: string): Tokenizer {
  const config = readJson(join(dir, "tokenizer_config.json")) as TokenizerConfig;
  const file = join(dir, "tokenizer.json");
  const json = readJson(file);
  let inner: HuggingFace;
  try {
    inner = new HuggingFaceTokenizer(json, config);
  } catch (cause) {
    throw new PermanentError(`The tokenizer ${file} cannot be used: ${(cause as Error).message}.`, { cause });
  }

  const idOf = (token: Named) => {
    const content = typeof token === "object" ? token?.content : token;
    return content === undefined ? undefined : inner.token_to_id(content);
  };
  const eos = idOf(config.eos_token);
  if (eos === undefined) {
    throw new PermanentError(`The tokenizer in ${dir} names no end token: set "eos_token" in tokenizer_config.json.`);
  }
  const encode = (text: string, template: boolean): number[] =>
    inner.encode(text, { add_special_tokens: template }).ids;
  const prefix = encode("a", true).slice(0, encode("a", true).indexOf(encode("a", false)[0] as number));

  return {
    vocab: 1 + [...inner.get_vocab().values()].reduce((most, id) => Math.max(most, id), -1),
    pad: idOf(config.pad_token) ?? eos,
    eos,
    prefix,
    encode: (text) => encode(text, false),
    decode: (ids) =>
      ids.length === 0
        ? ""
        : inner.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
  };
}

/**
 * Checks that a tokenizer may belong to a model: every id has a row in the embedding, the model's end tokens are ids, and no more rows are without an id than
 * padding explains.
 * @throws PermanentError that says what does not fit.
 */
export function checkTokenizer({ vocab }: Tokenizer, { vocabulary, endTokens }: ModelConfig, dir: string): void {
  const fail = (what: string): never => {
    throw new PermanentError(`The tokenizer in ${dir} does not fit config.json there: ${what}; get both anew.`);
  };
  if (vocab > vocabulary) fail(`it has ${vocab} tokens, but the model only ${vocabulary}`);
  if (vocab < MOST_PADDED * vocabulary) fail(`it has ${vocab} tokens, but the model ${vocabulary}`);
  const stranger = endTokens.find((token) => token >= vocab);
  if (stranger !== undefined) fail(`it does not know the model's end token ${stranger}`);
}

/** Models have a few percent more rows than tokens, for round numbers or later use. */
const MOST_PADDED = 0.75;

/** @throws PermanentError if the file of a model's folder is missing or not JSON. */
export function readJson(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new PermanentError(`Cannot read ${file}: a model folder needs it.`, { cause });
  }
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw new PermanentError(`${file} is not JSON.`, { cause });
  }
}
