import type { Stream } from "../random.ts";

/** How the next token is chosen from the logits. */
export type Sampling = {
  /** Divides the logits: below 1 the likely tokens become likelier. */
  temperature: number;
  /** Only the likeliest tokens that together have this probability (nucleus sampling, Holtzman et al. 2020); 1 for all. */
  topP: number;
  /** Decides everything that is left to chance. */
  stream: Stream;
};

/** The likeliest token; of equals the first. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) {
    if ((logits[token] as number) > (logits[best] as number)) best = token;
  }
  return best;
}

/** Draws a token. The same logits and stream give the same token. */
export function sample(logits: Float32Array, { temperature, topP, stream }: Sampling): number {
  const most = logits[likeliest(logits)] as number;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - most) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const order = Array.from(weights.keys()).sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);
  let count = 0;
  let kept = 0;
  while (count < order.length && (count === 0 || kept < topP * total))
    kept += weights[order[count++] as number] as number;
  let rest = stream.float() * kept;
  for (const token of order.slice(0, count)) {
    rest -= weights[token] as number;
    if (rest < 0) return token;
  }
  return order[count - 1] as number; // roundings left a rest
}
