import { PermanentError } from "../../protocol/errors.ts";
import type { ModelConfig } from "./config.ts";

/** One tokenised example: the model is judged on the tokens from `promptLength` on. */
export type Sequence = { tokens: Int32Array; promptLength: number };

/** The shortest length of a graph. */
export const SHORTEST = 16;

/**
 * The length to which a sequence is padded: graphs have fixed shapes, and these are the powers of two from 16 up to the positions that the model has. A
 * sequence's last token is only ever predicted, never read.
 *
 * @throws PermanentError if it has nothing to judge, is too long, or holds a token that the model does not know.
 */
export function bucketFor({ tokens, promptLength }: Sequence, { maxPositions, vocabulary }: ModelConfig): number {
  if (promptLength < 1 || promptLength >= tokens.length) {
    throw new PermanentError("An example needs a prompt and a completion of one token at least.");
  }
  const stranger = tokens.find((token) => token < 0 || token >= vocabulary);
  if (stranger !== undefined) {
    throw new PermanentError(
      `The token ${stranger} is not in the model's vocabulary of ${vocabulary}: is this its tokenizer?`,
    );
  }
  const read = tokens.length - 1;
  if (read > maxPositions) {
    throw new PermanentError(
      `An example of ${tokens.length} tokens is too long: the model takes at most ${maxPositions + 1}; lower maxTokens.`,
    );
  }
  return bucketOf(read, { maxPositions });
}

/** The length to which so many tokens are padded. */
export function bucketOf(tokens: number, { maxPositions }: Pick<ModelConfig, "maxPositions">): number {
  let length = SHORTEST;
  while (length < tokens) length *= 2;
  return Math.min(length, maxPositions);
}

export type Batch = {
  /** What the model reads, int32 [rows * length]. */
  tokens: Int32Array;
  /** What it should say next at each position, int32 [rows * length]. */
  labels: Int32Array;
  /** How much each position counts, [rows * length]: 0 for prompt and padding. */
  weights: Float32Array;
};

export type Packing = {
  rows: number;
  length: number;
  /** What sums to 1: the weights of an example's completion, or those of `total` tokens, by default all of the batch. */
  mean: "example" | "token";
  total?: number | undefined;
};

/** Lays sequences side by side, padded at the end to `length` and to `rows` rows. */
export function packBatch(
  sequences: readonly Sequence[],
  { rows, length, mean, total = judgedTokens(sequences) }: Packing,
): Batch {
  const batch = {
    tokens: new Int32Array(rows * length),
    labels: new Int32Array(rows * length),
    weights: new Float32Array(rows * length),
  };
  for (const [row, sequence] of sequences.entries()) {
    const { tokens, promptLength } = sequence;
    const start = row * length;
    batch.tokens.set(tokens.subarray(0, -1), start);
    batch.labels.set(tokens.subarray(1), start);
    // The token at position p is predicted at p - 1.
    batch.weights.fill(
      1 / (mean === "token" ? total : judged(sequence)),
      start + promptLength - 1,
      start + tokens.length - 1,
    );
  }
  return batch;
}

/** Tokens of the completions, which are what a loss is the mean over. */
export function judgedTokens(sequences: readonly Sequence[]): number {
  return sequences.reduce((sum, sequence) => sum + judged(sequence), 0);
}

function judged({ tokens, promptLength }: Sequence): number {
  return tokens.length - promptLength;
}
