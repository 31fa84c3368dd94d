import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { PermanentError } from "../../protocol/errors.ts";
import type { ChatTemplate } from "../model/chatTemplate.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { readMessages } from "./messages.ts";

/** One thing to learn: what to answer (`completion`) to a `prompt`, in a field of knowledge (`domain`). */
export type Example = { domain: string; prompt: string; completion: string };

/** An example as the model sees it: prompt, completion, end. The loss counts `tokens[promptLength..]` only. */
export type Encoded = { domain: string; tokens: Int32Array; promptLength: number };

/** Largest file, in bytes. */
export const MAX_FILE_BYTES = 256 * 2 ** 20;
/** Longest prompt or completion, in UTF-16 units. */
export const MAX_FIELD_LENGTH = 65_536;

const DOMAIN_FILE = /^([a-z0-9][a-z0-9_-]{0,63})\.jsonl$/;
const NEWLINE = 0x0a;

/**
 * All domains of a folder, one `DOMAIN.jsonl` each, in the order of their names. Other files are left alone. See `readJsonl` for `chat`.
 * @throws PermanentError if there is no such folder or no such file, or if a file is faulty.
 */
export function readDomains(dir: string, chat?: ChatTemplate | undefined): Map<string, Example[]> {
  let names: string[];
  try {
    names = readdirSync(dir).sort();
  } catch (cause) {
    throw new PermanentError(`Cannot read the data folder ${dir}: give a folder with one DOMAIN.jsonl a domain.`, {
      cause,
    });
  }
  const domains = new Map<string, Example[]>();
  for (const name of names) {
    if (!name.endsWith(".jsonl")) continue;
    const domain = DOMAIN_FILE.exec(name)?.[1];
    if (domain === undefined) {
      throw new PermanentError(
        `${join(dir, name)}: a domain is named by 1 to 64 lower-case letters, digits, dashes or underscores; rename the file.`,
      );
    }
    domains.set(domain, readJsonl(join(dir, name), domain, chat));
  }
  if (domains.size === 0) {
    throw new PermanentError(`The data folder ${dir} holds no .jsonl file: put one DOMAIN.jsonl a domain there.`);
  }
  return domains;
}

/**
 * The examples of one JSONL file: an object with the strings `prompt` and `completion` a line, or with a list of `messages`, which the base model's chat
 * template writes down; blank lines and other keys are skipped.
 * @throws PermanentError that names the file, and the line where one is at fault.
 */
export function readJsonl(
  file: string,
  domain: string = basename(file, ".jsonl"),
  chat?: ChatTemplate | undefined,
): Example[] {
  const examples: Example[] = [];
  const bytes = readBounded(file);
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const example = parseLine(bytes.subarray(start, end), `${file}:${line}`, domain, chat);
    if (example !== undefined) examples.push(example);
    start = end + 1;
  }
  if (examples.length === 0) {
    throw new PermanentError(`${file} holds no example: write one {"prompt": …, "completion": …} a line.`);
  }
  return examples;
}

/** Examples as JSONL, in one spelling: the sha256 of a public set is over these bytes. */
export function writeJsonl(examples: readonly Example[]): Buffer {
  return Buffer.from(
    examples.map(({ prompt, completion }) => `${JSON.stringify({ prompt, completion })}\n`).join(""),
    "utf8",
  );
}

/** A prompt's tokens after the tokenizer's prefix, which a chat template may have written already. */
export function encodePrompt({ prefix, encode }: Tokenizer, prompt: string): number[] {
  const tokens = encode(prompt);
  return prefix.every((token, i) => tokens[i] === token) ? tokens : [...prefix, ...tokens];
}

/**
 * Prompt, completion and end token (where the text does not bring it), at most `maxTokens` of them. What is too long is cut: the completion at its end, to
 * no less than half of the room, then the prompt at its *beginning*, for its end is nearest to the answer.
 */
export function encode(tokenizer: Tokenizer, example: Example, maxTokens: number): Encoded {
  const prompt = encodePrompt(tokenizer, example.prompt);
  const completion = tokenizer.encode(example.completion);
  if (completion.at(-1) !== tokenizer.eos) completion.push(tokenizer.eos);
  const room = Math.max(maxTokens - prompt.length, Math.ceil(maxTokens / 2));
  const kept = completion.slice(0, room);
  const promptLength = Math.min(prompt.length, maxTokens - kept.length);
  const tokens = Int32Array.from([...prompt.slice(prompt.length - promptLength), ...kept]);
  return { domain: example.domain, tokens, promptLength };
}

function readBounded(file: string): Buffer {
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) {
      throw new PermanentError(`${file} has ${size} bytes, but at most ${MAX_FILE_BYTES} are read: split or thin it.`);
    }
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof PermanentError) throw cause;
    throw new PermanentError(`Cannot read the data file ${file}: ${(cause as Error).message}.`, { cause });
  }
}

function parseLine(
  bytes: Uint8Array,
  where: string,
  domain: string,
  chat: ChatTemplate | undefined,
): Example | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
  } catch (cause) {
    throw new PermanentError(`${where}: the line is not UTF-8.`, { cause });
  }
  if (text === "") return undefined;
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (cause) {
    throw new PermanentError(`${where}: the line is not JSON.`, { cause });
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw new PermanentError(`${where}: the line is no object with "prompt" and "completion".`);
  }
  const fields: Record<string, unknown> = "messages" in row ? readMessages(row.messages, chat, where) : { ...row };
  const field = (name: "prompt" | "completion"): string => {
    const value = fields[name];
    if (value === undefined) throw new PermanentError(`${where}: "${name}" is missing.`);
    if (typeof value !== "string") throw new PermanentError(`${where}: "${name}" is not a string.`);
    if (value === "") throw new PermanentError(`${where}: "${name}" is empty.`);
    if (value.length > MAX_FIELD_LENGTH) {
      throw new PermanentError(
        `${where}: "${name}" has ${value.length} characters, but at most ${MAX_FIELD_LENGTH} are read.`,
      );
    }
    if (!value.isWellFormed()) {
      throw new PermanentError(`${where}: "${name}" holds half of a surrogate pair, which is no text.`);
    }
    return value;
  };
  return { domain, prompt: field("prompt"), completion: field("completion") };
}
