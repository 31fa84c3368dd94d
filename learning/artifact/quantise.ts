import { PermanentError } from "../../protocol/errors.ts";
import type { AdapterTensor } from "../model/adapter.ts";

/**
 * One factor B of an update in whole numbers: the element in row r, column c is `q[r * columns + c] * 2^exponents[r]`.
 * `q` is in -127 .. 127, `exponents` in MIN_EXPONENT .. MAX_EXPONENT.
 */
export type UpdateTensor = { name: string; rows: number; columns: number; q: Int8Array; exponents: Int8Array };

/** What a trainer proposes to add to the head: all factors B, in the order of the layout. */
export type Update = { tensors: UpdateTensor[] };

/** Finest step of a row, 2^-24; a row that is finer still loses its end. */
export const MIN_EXPONENT = -24;
/** Coarsest step of a row, 1; elements beyond 127 are cut off there. */
export const MAX_EXPONENT = 0;
export const MAX_Q = 127;

/**
 * The update nearest to `delta` (flat, in the order of the layout): each row gets the smallest power of two, 2^ceil(log2(absmax / 127)), by which its
 * elements fit into a signed byte, and elements are rounded half to even. So the same numbers always give the same bytes.
 * @throws PermanentError if `delta` has another length than the layout or holds NaN or infinity.
 */
export function quantise(layout: readonly AdapterTensor[], delta: Float32Array): Update {
  const size = layout.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  if (delta.length !== size) {
    throw new PermanentError(`The update has ${delta.length} elements, but the adapter has ${size}.`);
  }
  return { tensors: layout.map((tensor) => quantiseTensor(tensor, delta)) };
}

function quantiseTensor({ name, rows, columns, offset }: AdapterTensor, delta: Float32Array): UpdateTensor {
  const q = new Int8Array(rows * columns);
  const exponents = new Int8Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = delta.subarray(offset + row * columns, offset + (row + 1) * columns);
    const exponent = rowExponent(values, name, row);
    exponents[row] = exponent;
    for (let column = 0; column < columns; column++) {
      const scaled = (values[column] as number) / 2 ** exponent; // exact: a power of two
      q[row * columns + column] = Math.max(-MAX_Q, Math.min(MAX_Q, roundHalfEven(scaled)));
    }
  }
  return { name, rows, columns, q, exponents };
}

function rowExponent(values: Float32Array, name: string, row: number): number {
  let largest = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) throw new PermanentError(`The update holds ${value} in ${name}, row ${row}.`);
    largest = Math.max(largest, Math.abs(value));
  }
  let exponent = MIN_EXPONENT;
  while (exponent < MAX_EXPONENT && largest > MAX_Q * 2 ** exponent) exponent++;
  return exponent;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const fraction = value - below;
  if (fraction !== 0.5) return fraction < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** The update as a flat float32 adapter, in the order of its tensors; exact. */
export function dequantise(update: Update): Float32Array {
  const flat = new Float32Array(update.tensors.reduce((sum, { q }) => sum + q.length, 0));
  let offset = 0;
  for (const { rows, columns, q, exponents } of update.tensors) {
    for (let row = 0; row < rows; row++) {
      const step = 2 ** (exponents[row] as number);
      for (let column = 0; column < columns; column++) flat[offset++] = (q[row * columns + column] as number) * step;
    }
  }
  return flat;
}
