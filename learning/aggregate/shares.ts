import { PermanentError } from "../../protocol/errors.ts";

/** How accepted updates enter the head; whole numbers, from the manifest. */
export type Aggregation = { cap: { num: number; den: number }; rate: { num: number; den: number } };

/** rate * share_i = numerators[i] / denominator, exactly, in lowest terms together. */
export type Shares = { numerators: bigint[]; denominator: bigint };

/**
 * What each accepted update weighs in the head: `rate * min(f_i / Σ f, cap / published)`, so none weighs more than it was tested at.
 * @throws PermanentError if a factor is not positive or more were accepted than published.
 */
export function shares(factors: readonly bigint[], published: number, { cap, rate }: Aggregation): Shares {
  if (factors.some((factor) => factor <= 0n)) {
    throw new PermanentError(`The factors ${factors.join(", ")} are not all positive.`);
  }
  if (!Number.isSafeInteger(published) || published < factors.length) {
    throw new PermanentError(`${factors.length} updates cannot be accepted of ${published} published ones.`);
  }
  const sum = factors.reduce((a, b) => a + b, 0n);
  // Over the common denominator sum * cap.den * published.
  const tested = BigInt(cap.num) * sum;
  const scale = BigInt(cap.den) * BigInt(published);
  const numerators = factors.map((factor) => smaller(factor * scale, tested) * BigInt(rate.num));
  const denominator = sum * scale * BigInt(rate.den);
  const common = numerators.reduce(greatestDivisor, denominator);
  return { numerators: numerators.map((numerator) => numerator / common), denominator: denominator / common };
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestDivisor(b, a % b);
}
