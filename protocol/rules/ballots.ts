import type { Hex } from "viem";
import { PermanentError } from "../errors.ts";
import { ABSTAIN, MAX_PROPOSALS, MAX_SCORE, MIN_SCORE, MISSING } from "../words.ts";

/** "I could not build the head." */
export const NO_HEAD: Hex = `0x${"0".repeat(40)}`;

/** Whether a score judges, rather than saying ABSTAIN or MISSING. */
export function judges(score: number): boolean {
  return score >= MIN_SCORE;
}

/** A measured score as it is voted: rounded, clamped, never wrapped; what is not a number is the lowest score. */
export function clampScore(score: number): number {
  if (Number.isNaN(score)) return MIN_SCORE;
  return Math.max(MIN_SCORE, Math.min(MAX_SCORE, Math.round(score)));
}

/** Scores of the published proposals, in slot order, as one word: sixteen lanes of int16, slot 0 lowest. */
export function packScores(scores: readonly number[]): bigint {
  if (scores.length > MAX_PROPOSALS) {
    throw new PermanentError(`A ballot has ${MAX_PROPOSALS} lanes, but ${scores.length} scores were given.`);
  }
  let word = 0n;
  scores.forEach((score, slot) => {
    if (!Number.isInteger(score) || score < ABSTAIN || score > MAX_SCORE) {
      throw new PermanentError(`The score ${score} of slot ${slot} is not a 16-bit integer.`);
    }
    word |= BigInt.asUintN(16, BigInt(score)) << BigInt(16 * slot);
  });
  return word;
}

/** All sixteen lanes of a word. */
export function unpackScores(word: bigint): number[] {
  return Array.from({ length: MAX_PROPOSALS }, (_, slot) => Number(BigInt.asIntN(16, word >> BigInt(16 * slot))));
}

/** Why a ballot is not in its one canonical form, or undefined if it is. */
export function ballotFlaw(word: bigint, head: Hex, published: number): string | undefined {
  const lanes = unpackScores(word);
  const stray = lanes.findIndex((score, slot) => slot >= published && score !== 0);
  if (stray >= 0) return `lane ${stray} is ${lanes[stray]}, but only ${published} proposals were published`;
  if (BigInt(head) === 0n && lanes.slice(0, published).some((score) => score !== ABSTAIN && score !== MISSING)) {
    return "it names no head, but judges a proposal";
  }
  return undefined;
}
