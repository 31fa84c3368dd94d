import { PermanentError } from "../../protocol/errors.ts";
import { MIN_EXPONENT, type Update } from "../artifact/quantise.ts";
import type { Head, HeadTensor } from "./head.ts";
import { type Aggregation, shares } from "./shares.ts";

const LOWEST = -(2 ** 31);
const HIGHEST = 2 ** 31 - 1;

/**
 * The next head: `head + rate * Σ share_i * update_i` over the accepted updates, `share_i = min(f_i / Σ f, cap / published)`. Each element is an exact
 * fraction over one denominator that is rounded once, half to even, and held within 32 bits; so the order of the updates does not matter and every machine
 * gets the same head.
 * @throws PermanentError if an update does not fit the head, if there are not as many factors, or if a factor is not positive.
 */
export function applyUpdates(
  head: Head,
  updates: readonly Update[],
  factors: readonly bigint[],
  published: number,
  aggregation: Aggregation,
): Head {
  if (updates.length !== factors.length) {
    throw new PermanentError(`${updates.length} updates cannot be weighed by ${factors.length} factors.`);
  }
  for (const update of updates) checkFits(head, update);
  if (updates.length === 0) return head;

  const { numerators, denominator } = shares(factors, published, aggregation);
  // The updates' finest step 2^MIN_EXPONENT as a whole number of parts of the head's step 2^-exponent.
  const finer = Math.max(0, -MIN_EXPONENT - head.exponent);
  const parts = denominator << BigInt(finer);
  const shift = finer + head.exponent;
  const tensors = head.tensors.map((tensor, index) => {
    const added = updates.map((update) => update.tensors[index] as Update["tensors"][number]);
    const values = new Int32Array(tensor.values.length);
    for (let row = 0; row < tensor.rows; row++) {
      const weights = added.map(
        ({ exponents }, i) => (numerators[i] as bigint) << BigInt((exponents[row] as number) + shift),
      );
      addRow(
        values,
        tensor,
        row,
        added.map(({ q }) => q),
        weights,
        parts,
      );
    }
    return { ...tensor, values };
  });
  return { exponent: head.exponent, tensors };
}

function checkFits(head: Head, update: Update): void {
  const fits =
    update.tensors.length === head.tensors.length &&
    head.tensors.every(({ name, rows, columns }, index) => {
      const tensor = update.tensors[index];
      return tensor?.name === name && tensor.rows === rows && tensor.columns === columns;
    });
  if (!fits) throw new PermanentError("An update is of another adapter than the head.");
}

/** values[row] = round((head[row] * parts + Σ weights_i * q_i[row]) / parts), by the cheapest way that is exact. */
function addRow(
  values: Int32Array,
  { values: head, columns }: HeadTensor,
  row: number,
  qs: readonly Int8Array[],
  weights: readonly bigint[],
  parts: bigint,
): void {
  const largest = 127n * weights.reduce((a, b) => a + b, 0n);
  const small = 2n ** 31n * parts + largest < 2n ** 52n;
  const element = small
    ? inNumbers(weights.map(Number), Number(parts))
    : estimated(weights, parts, Number(largest) / Number(parts));
  for (let at = row * columns; at < (row + 1) * columns; at++) values[at] = element(head[at] as number, qs, at);
}

type Element = (head: number, qs: readonly Int8Array[], at: number) => number;

/** Everything fits into 52 bits: doubles hold it exactly. */
function inNumbers(weights: readonly number[], parts: number): Element {
  return (head, qs, at) => {
    let sum = head * parts;
    for (let i = 0; i < weights.length; i++) sum += (weights[i] as number) * ((qs[i] as Int8Array)[at] as number);
    const below = Math.floor(sum / parts); // right: the quotient's error is below |sum| / parts / 2^53, less than 1 / parts
    const twice = 2 * (sum - below * parts);
    const up = twice > parts || (twice === parts && below % 2 !== 0);
    return saturate(up ? below + 1 : below);
  };
}

/**
 * The sum in doubles, whose error is below `guard`, decides unless it lies so near to the middle between two whole numbers that it cannot; then bigints do.
 * With n updates the error is below (n + 6) * 2^-53 * (2^31 + reach): three roundings in a ratio, one in a product, n in the sum (Higham 2002, chapter 3).
 */
function estimated(weights: readonly bigint[], parts: bigint, reach: number): Element {
  const ratios = weights.map((weight) => Number(weight) / Number(parts));
  const guard = (weights.length + 8) * 2 ** -52 * (2 ** 31 + reach);
  return (head, qs, at) => {
    let sum = 0;
    for (let i = 0; i < ratios.length; i++) sum += (ratios[i] as number) * ((qs[i] as Int8Array)[at] as number);
    sum += head;
    const below = Math.floor(sum);
    const fraction = sum - below;
    if (Math.abs(fraction - 0.5) > guard) return saturate(fraction > 0.5 ? below + 1 : below);
    return exactly(head, qs, at, weights, parts);
  };
}

function exactly(
  head: number,
  qs: readonly Int8Array[],
  at: number,
  weights: readonly bigint[],
  parts: bigint,
): number {
  let sum = BigInt(head) * parts;
  for (const [i, weight] of weights.entries()) sum += weight * BigInt(qs[i]?.[at] as number);
  const remainder = ((sum % parts) + parts) % parts;
  const below = (sum - remainder) / parts;
  const up = 2n * remainder > parts || (2n * remainder === parts && below % 2n !== 0n);
  return saturate(Number(up ? below + 1n : below));
}

function saturate(value: number): number {
  return Math.max(LOWEST, Math.min(HIGHEST, value));
}
