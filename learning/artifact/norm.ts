import { type AdapterSpec, type AdapterTensor, adapterScale, factorA } from "../model/adapter.ts";
import { dequantise, MIN_EXPONENT, quantise, type Update, type UpdateTensor } from "./quantise.ts";

/** A Aᵀ of one layer = values * 2^exponent, [rank, rank]; the values are whole numbers below 2^53. */
export type FactorGram = { values: Float64Array; exponent: number };

/**
 * How far an update may move the model: the Frobenius norm of scale * B A over all layers. Of the product and not of B, because layers differ in what
 * they make of the same B.
 */
export type NormLimit = { grams: readonly FactorGram[]; scale: number; maxNorm: number };

/** The limit that a manifest sets; costs rank² * inputs a layer, so make it once. */
export function normLimit(spec: AdapterSpec, layout: readonly AdapterTensor[], maxNorm: number): NormLimit {
  return { grams: layout.map((tensor) => factorGram(spec, tensor)), scale: adapterScale(spec), maxNorm };
}

function factorGram(spec: AdapterSpec, tensor: AdapterTensor): FactorGram {
  const { rank } = spec;
  const { inputs } = tensor;
  const { integers, exponent } = factorA(spec, tensor);
  const values = new Float64Array(rank * rank);
  for (let i = 0; i < rank; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0; // exact: at most inputs * 2^30, and a layer has fewer than 2^23 inputs
      for (let k = 0; k < inputs; k++)
        sum += (integers[i * inputs + k] as number) * (integers[j * inputs + k] as number);
      values[i * rank + j] = sum;
      values[j * rank + i] = sum;
    }
  }
  return { values, exponent: 2 * exponent };
}

/**
 * ‖scale * B A‖_F over all layers = scale * sqrt(Σ tr((Bᵀ B)(A Aᵀ))). Whole numbers up to the square root, which is rounded once, so every machine gets the
 * same result.
 */
export function productNorm(update: Update, { grams, scale }: Pick<NormLimit, "grams" | "scale">): number {
  const exponent = Math.min(...grams.map((gram) => gram.exponent));
  let total = 0n; // in units of 2^(exponent + 2 * MIN_EXPONENT)
  update.tensors.forEach((tensor, index) => {
    const gram = grams[index] as FactorGram;
    total += squaredNorm(tensor, gram) << BigInt(gram.exponent - exponent);
  });
  return scale * Math.sqrt(Number(total) * 2 ** (exponent + 2 * MIN_EXPONENT));
}

/** tr((Bᵀ B)(A Aᵀ)) of one layer. Rows with one exponent are summed as numbers, the sums of different exponents as bigints. */
function squaredNorm({ rows, columns, q, exponents }: UpdateTensor, gram: FactorGram): bigint {
  const sums = new Map<number, Float64Array>(); // exponent -> Bᵀ B of its rows, upper triangle
  for (let row = 0; row < rows; row++) {
    const exponent = exponents[row] as number;
    const sum = sums.get(exponent) ?? new Float64Array(columns * columns);
    sums.set(exponent, sum);
    for (let i = 0; i < columns; i++) {
      const left = q[row * columns + i] as number;
      if (left === 0) continue;
      for (let j = i; j < columns; j++) {
        const at = i * columns + j;
        sum[at] = (sum[at] as number) + left * (q[row * columns + j] as number);
      }
    }
  }
  let total = 0n;
  for (const [exponent, sum] of sums) {
    let trace = 0n;
    for (let i = 0; i < columns; i++) {
      for (let j = i; j < columns; j++) {
        const at = i * columns + j;
        const product = BigInt(sum[at] as number) * BigInt(gram.values[at] as number);
        trace += i === j ? product : 2n * product;
      }
    }
    total += trace << BigInt(2 * (exponent - MIN_EXPONENT));
  }
  return total;
}

/**
 * The update nearest to `delta` whose norm is within the limit: quantised, measured and, while it is too long, shortened and quantised again.
 * @throws PermanentError if `delta` does not fit the layout or is not finite.
 */
export function clipToNorm(layout: readonly AdapterTensor[], delta: Float32Array, limit: NormLimit): Update {
  return clipWithRest(layout, delta, limit).update;
}

/** The same with what rounding took from it, flat. What shortening took is not in there: the limit would mean nothing if it came later. */
export function clipWithRest(
  layout: readonly AdapterTensor[],
  delta: Float32Array,
  limit: NormLimit,
): { update: Update; rest: Float32Array } {
  let shortened = delta;
  let update = quantise(layout, delta);
  let factor = 1;
  for (let norm = productNorm(update, limit); norm > limit.maxNorm; norm = productNorm(update, limit)) {
    factor *= (limit.maxNorm / norm) * 0.999; // rounding may lengthen what was cut to size
    shortened = delta.map((value) => value * factor);
    update = quantise(layout, shortened);
  }
  const sent = dequantise(update);
  return { update, rest: shortened.map((value, index) => value - (sent[index] as number)) };
}
