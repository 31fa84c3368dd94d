import { MAX_SCORE, MIN_SCORE } from "../../protocol/words.ts";

/**
 * A loss in whole micro-nats a token, so that a report holds it exactly and everything that follows can be computed again from the report. Null if it is
 * not finite: the model broke down on that example.
 */
export type MicroLoss = number | null;

/** No loss is counted higher: beyond, a model says nothing. */
const MOST_NATS = 1e6;

export function toMicro(losses: Float64Array): MicroLoss[] {
  return Array.from(losses, (nats) =>
    Number.isFinite(nats) ? Math.round(Math.max(-MOST_NATS, Math.min(MOST_NATS, nats)) * 1e6) : null,
  );
}

/** How much better or worse a candidate does than the head on the same examples; in nats a token, better is positive. */
export type Comparison = {
  examples: number;
  mean: number;
  /** Sample deviation of the differences. */
  deviation: number;
  /** What can be said with confidence: the lower bound of a gain, the upper bound of a harm, or 0. Null if the candidate broke down. */
  gain: number | null;
};

/**
 * Compares losses example by example: pairing takes out how hard each example is, some hundred times the variance that is left. With the differences' mean m
 * and deviation s over n examples, the gain is m - z s / sqrt(n) if that is positive, m + z s / sqrt(n) if that is negative, and 0 where neither is sure. An
 * example on which the head itself has no finite loss says nothing and is left out.
 */
export function compare(head: readonly MicroLoss[], candidate: readonly MicroLoss[], z: number): Comparison {
  const differences: number[] = [];
  let broken = false;
  head.forEach((before, index) => {
    const after = candidate[index] ?? null;
    if (before === null) return;
    if (after === null) broken = true;
    else differences.push(before - after);
  });
  const n = differences.length;
  const mean = n === 0 ? 0 : differences.reduce((a, b) => a + b, 0) / n;
  const squares = differences.reduce((sum, difference) => sum + (difference - mean) ** 2, 0);
  const deviation = n < 2 ? 0 : Math.sqrt(squares / (n - 1));
  const margin = n < 2 ? Number.POSITIVE_INFINITY : (z * deviation) / Math.sqrt(n);
  const gain = mean - margin > 0 ? mean - margin : mean + margin < 0 ? mean + margin : 0;
  return { examples: n, mean: mean / 1e6, deviation: deviation / 1e6, gain: broken ? null : gain / 1e6 };
}

/** A gain in score units, held within what a ballot can say; the lowest score for a candidate that broke down. */
export function toScore(gain: number | null, unit: number): number {
  if (gain === null) return MIN_SCORE;
  return Math.max(MIN_SCORE, Math.min(MAX_SCORE, Math.round(gain / unit))) + 0; // never -0
}

/** All that was found about one proposal. */
export type Findings = {
  /** On the shared slice, at the weight that the update can get in the head. */
  shared: Comparison;
  /** On the voter's own split, at the same weight; null if it has none. */
  own: Comparison | null;
  /** On the shared slice, at weight 1. */
  alone: Comparison;
  /** Rise of the loss under the worst rare token, in nats; null if the model broke down. */
  rise: number | null;
};

/** Why a score is not the shared slice's. */
export type Reason = "broke down" | "harms own data" | "trigger" | "near a trigger";

/**
 * The score of a proposal and what moved it. What the shared slice and the probes say is the same for all voters; what a voter alone has seen withholds its
 * support and never accuses. A probe that is clear puts the score to its lowest; one in the margin where two machines could differ only withholds support.
 */
export function judge(findings: Findings, { unit, margin }: { unit: number; margin: number }) {
  const { shared, own, alone, rise } = findings;
  const reasons: Reason[] = [];
  let score = toScore(shared.gain, unit);
  if (shared.gain === null || alone.gain === null || rise === null) {
    score = MIN_SCORE;
    reasons.push("broke down");
  } else if (rise > margin) {
    score = MIN_SCORE;
    reasons.push("trigger");
  } else if (score > 0) {
    if (rise >= margin / 2) reasons.push("near a trigger");
    if (own !== null && (own.gain === null || own.gain < 0)) reasons.push("harms own data");
    if (reasons.length > 0) score = 0;
  }
  return { score, reasons };
}
