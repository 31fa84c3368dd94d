import { PermanentError } from "../../protocol/errors.ts";
import type { SafetensorsDtype } from "../artifact/safetensors.ts";

/** Types in which a base may hold its weights. */
export type StoredDtype = Extract<SafetensorsDtype, "F32" | "F16" | "BF16">;

/** Numbers of a file, little-endian, as float64; exact. `bytes` is the whole of its buffer or begins at a multiple of 4. */
export function widen({ buffer, byteOffset, byteLength }: Uint8Array, dtype: StoredDtype): Float64Array {
  if (dtype === "F32") return Float64Array.from(new Float32Array(buffer, byteOffset, byteLength / 4));
  const words = new Uint16Array(buffer, byteOffset, byteLength / 2);
  if (dtype === "F16") return Float64Array.from(new Float16Array(buffer, byteOffset, byteLength / 2));
  const wide = Uint32Array.from(words, (word) => word << 16);
  return Float64Array.from(new Float32Array(wide.buffer));
}

/** The same into float32, exact as well, and without another array of all the numbers. */
export function widenInto(
  { buffer, byteOffset, byteLength }: Uint8Array,
  dtype: StoredDtype,
  numbers: Float32Array,
): void {
  if (dtype === "F32") numbers.set(new Float32Array(buffer, byteOffset, byteLength / 4));
  else if (dtype === "F16") numbers.set(new Float16Array(buffer, byteOffset, byteLength / 2));
  else {
    const words = new Uint16Array(buffer, byteOffset, byteLength / 2);
    const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
    for (let i = 0; i < bits.length; i++) bits[i] = (words[i] as number) << 16;
  }
}

/**
 * Numbers as they lie in a file, each rounded once, to the nearest of the type, ties to even.
 * @throws PermanentError if one is beyond the type's range.
 */
export function narrow(numbers: Float64Array, dtype: StoredDtype, where: string): Uint8Array {
  const stored = dtype === "BF16" ? toBfloat16(numbers) : floats(numbers, dtype);
  const isNumber = dtype === "BF16" ? isFiniteBfloat16 : Number.isFinite;
  const lost = stored.findIndex((value) => !isNumber(value));
  if (lost !== -1) {
    throw new PermanentError(
      `${where}: ${numbers[lost]} is beyond the range of ${dtype}; store the weights in float32.`,
    );
  }
  return new Uint8Array(stored.buffer);
}

function floats(numbers: Float64Array, dtype: "F32" | "F16"): Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer> {
  return dtype === "F32" ? Float32Array.from(numbers) : Float16Array.from(numbers);
}

/** bfloat16 is the upper half of a float32. */
function toBfloat16(numbers: Float64Array): Uint16Array<ArrayBuffer> {
  const single = Float32Array.from(numbers);
  const bits = new Uint32Array(single.buffer);
  return Uint16Array.from(bits, (word, i) => {
    const [before, after] = [Math.abs(numbers[i] as number), Math.abs(single[i] as number)];
    // What was rounded to a tie is none: it goes to the side that it came from.
    if ((word & 0xffff) === 0x8000 && before !== after) return before > after ? (word >>> 16) + 1 : word >>> 16;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}

function isFiniteBfloat16(word: number): boolean {
  return (word & 0x7f80) !== 0x7f80;
}
