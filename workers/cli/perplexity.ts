import { createReadStream } from "node:fs";
import { encode, readJsonl } from "../../learning/data/examples.ts";
import { largest } from "../../learning/extremes.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../learning/model/adapter.ts";
import { bucketFor, type Sequence } from "../../learning/model/batches.ts";
import { openChatTemplate } from "../../learning/model/chatTemplate.ts";
import type { Checkpoint } from "../../learning/model/checkpoint.ts";
import { openTokenizer } from "../../learning/model/tokenizer.ts";
import { availableMemory } from "../../learning/train/fit.ts";
import { PermanentError } from "../../protocol/errors.ts";
import { openFittingEvaluator } from "../compute/evaluator.ts";

/** Longest window, in tokens. */
const WINDOW = 256;
/** A file of which more is there is read to here. */
const MAX_TEXT_BYTES = 1 << 24;

/** Mean loss in nats a token, and its exponential. */
export type Perplexity = { loss: number; perplexity: number };

/**
 * Windows of a text in a model's tokens: examples of a `.jsonl` file (docs/training.md says its form), of which the completions count, or pieces of any other
 * file, of which everything but the first token counts.
 *
 * @throws PermanentError if the file cannot be read, is no text, or holds too little.
 */
export async function windowsOf(
  file: string,
  model: string,
  { config }: Checkpoint,
  most: number,
): Promise<Sequence[]> {
  const tokenizer = openTokenizer(model);
  const length = Math.min(WINDOW, config.maxPositions);
  if (file.endsWith(".jsonl")) {
    const examples = readJsonl(file, "text", openChatTemplate(model)).slice(0, most);
    return examples.map((example) => encode(tokenizer, example, length));
  }
  const bytes = await beginningOf(file).catch((cause: unknown) => {
    throw new PermanentError(`The text ${file} cannot be read.`, { cause });
  });
  let text: string;
  try {
    // The last character may be cut in two.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, MAX_TEXT_BYTES), {
      stream: bytes.length > MAX_TEXT_BYTES,
    });
  } catch (cause) {
    throw new PermanentError(`The text ${file} is not UTF-8.`, { cause });
  }
  const { prefix } = tokenizer;
  const step = length - prefix.length;
  // A token has at least one byte and seldom more than eight characters.
  const tokens = tokenizer.encode(text.slice(0, 16 * most * step)).slice(0, most * step);
  const windows: Sequence[] = [];
  for (let start = 0; start < tokens.length; start += step) {
    const piece = Int32Array.from([...prefix, ...tokens.slice(start, start + step)]);
    if (piece.length > Math.max(1, prefix.length)) {
      windows.push({ tokens: piece, promptLength: Math.max(1, prefix.length) });
    }
  }
  if (windows.length === 0) throw new PermanentError(`The text ${file} holds too little: two tokens at least.`);
  return windows;
}

/** What of a file is read, and one byte that tells whether there is more. */
async function beginningOf(file: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of createReadStream(file, { end: MAX_TEXT_BYTES })) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** How well a base without an adapter foretells text. A base that does not fit into memory is read a group of layers at a time. */
export async function perplexityOf(
  checkpoint: Checkpoint,
  windows: readonly Sequence[],
  { threads, signal }: { threads: number; signal: AbortSignal },
): Promise<Perplexity> {
  const spec: AdapterSpec = { rank: 1, alpha: 1, targets: ["q_proj"], seed: "perplexity" };
  const flat = new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec)));
  const longest = largest(windows.map((window) => bucketFor(window, checkpoint.config)));
  const { evaluator } = await openFittingEvaluator(checkpoint, spec, {
    ...{ device: "cpu", threads, longest, available: availableMemory(), signal },
  });
  try {
    signal.throwIfAborted();
    const losses = await evaluator.losses(flat, windows);
    const counts = windows.map(({ tokens, promptLength }) => tokens.length - promptLength);
    const sum = losses.reduce((total, loss, i) => total + loss * (counts[i] as number), 0);
    const loss = sum / counts.reduce((total, count) => total + count, 0);
    return { loss, perplexity: Math.exp(loss) };
  } finally {
    await evaluator.close();
  }
}
