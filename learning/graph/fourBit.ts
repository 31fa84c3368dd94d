/** Numbers that follow each other in a row and share a scale. */
export const BLOCK = 32;
/** The code that stands for 0. */
export const ZERO_CODE = 8;

/** Adding and taking away 1.5 * 2^52 rounds a double to a whole number, ties to even. */
const ROUNDER = 3 * 2 ** 51;

/** What is lost: the sums of the squared differences, and of the squared numbers. */
export type Loss = { error: number; energy: number };

/**
 * Writes numbers in codes of 4 bits, two a byte, the first in its low half: number = (code - 8) * scale, each rounded to the nearest, with one scale in
 * float16 for 32 numbers. Two scales are tried: the one that gives the number furthest from 0 the code 0, and the one that fits the codes which follow from
 * it best (least squares). The one with the smaller squared difference is taken, the first if they are as good.
 *
 * @param numbers - a multiple of 32.
 * @param codes - half as many bytes.
 * @param scales - a 32nd as many.
 * @param refuse - is told the index of a number that is none, infinite, or whose scale is infinite in float16.
 */
export function encode(
  numbers: Float32Array,
  codes: Uint8Array,
  scales: Float16Array,
  refuse: (index: number) => never,
): Loss {
  let error = 0;
  let total = 0;
  for (let block = 0; block < scales.length; block++) {
    const start = block * BLOCK;
    let low = 0;
    let high = 0;
    let energy = 0;
    for (let i = start; i < start + BLOCK; i++) {
      const number = numbers[i] as number;
      low = number < low ? number : low;
      high = number > high ? number : high;
      energy += number * number;
    }
    let scale = Math.f16round((high > -low ? high : low) / -ZERO_CODE) || 0; // no negative zero
    if (!Number.isFinite(energy) || !Number.isFinite(scale)) refuse(start + furthest(numbers, start));

    const first = fit(numbers, start, scale);
    const fitted = Math.f16round((sums[0] as number) / (sums[1] as number));
    const second = fit(numbers, start, fitted);
    if (second < first) scale = fitted; // never where it is no number
    scales[block] = scale;
    write(numbers, start, scale, codes);
    error += second < first ? second : first;
    total += energy;
  }
  return { error, energy: total };
}

/** The numbers that codes and scales stand for. */
export function decode(codes: Uint8Array, scales: Float16Array): Float32Array {
  const numbers = new Float32Array(2 * codes.length);
  const bytes = BLOCK / 2;
  for (let block = 0; block < scales.length; block++) {
    const scale = scales[block] as number;
    for (let i = block * bytes; i < (block + 1) * bytes; i++) {
      const pair = codes[i] as number;
      numbers[2 * i] = ((pair & 15) - ZERO_CODE) * scale;
      numbers[2 * i + 1] = ((pair >> 4) - ZERO_CODE) * scale;
    }
  }
  return numbers;
}

/** Of the last `fit`: the sums of number * q and q * q with q = code - 8. An object a block would cost more than all the rest. */
const sums = new Float64Array(2);

/** The squared difference that a scale leaves. */
function fit(numbers: Float32Array, start: number, scale: number): number {
  const inverse = scale === 0 ? 0 : 1 / scale;
  let error = 0;
  let cross = 0;
  let square = 0;
  for (let i = start; i < start + BLOCK; i++) {
    const number = numbers[i] as number;
    const q = nearest(number * inverse);
    const difference = number - q * scale;
    error += difference * difference;
    cross += number * q;
    square += q * q;
  }
  sums[0] = cross;
  sums[1] = square;
  return error;
}

function write(numbers: Float32Array, start: number, scale: number, codes: Uint8Array): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = start; i < start + BLOCK; i += 2) {
    const low = ZERO_CODE + nearest((numbers[i] as number) * inverse);
    const high = ZERO_CODE + nearest((numbers[i + 1] as number) * inverse);
    codes[i >> 1] = low | (high << 4);
  }
}

function nearest(value: number): number {
  let whole = value + ROUNDER - ROUNDER;
  if (whole > 7) whole = 7;
  if (whole < -8) whole = -8;
  return whole;
}

/** Index in a block of the first number that is none, or else of the largest. */
function furthest(numbers: Float32Array, start: number): number {
  const block = Array.from(numbers.subarray(start, start + BLOCK), Math.abs);
  const none = block.findIndex(Number.isNaN);
  return none === -1 ? block.indexOf(Math.max(...block)) : none;
}
