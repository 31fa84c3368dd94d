import { type Cipheriv, createCipheriv, createHash } from "node:crypto";
import { PermanentError } from "../protocol/errors.ts";

/**
 * The one source of randomness of everything that others must be able to repeat: the keystream of AES-128 in counter mode (NIST SP 800-38A), under
 * the first 16 bytes of sha256(seed | label), from counter 0. The same seed and label give the same bytes on every machine.
 */
export function keystream(seed: string, label: string, bytes: number): Buffer {
  return cipherOf(seed, label).update(Buffer.alloc(bytes));
}

/** A keystream read number by number. Two streams of different labels are independent. */
export class Stream {
  readonly #cipher: Cipheriv;
  #block: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(seed: string, label: string) {
    this.#cipher = cipherOf(seed, label);
  }

  /** Uniform in 0 .. 2^32 - 1: the next four bytes, little-endian. */
  uint32(): number {
    if (this.#position === this.#block.length) {
      this.#block = this.#cipher.update(Buffer.alloc(4096));
      this.#position = 0;
    }
    const value = this.#block.readUInt32LE(this.#position);
    this.#position += 4;
    return value;
  }

  /** Uniform in 0 .. n - 1 without bias: words of the last, incomplete multiple of n are drawn again. */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new PermanentError(`A random number below ${n} cannot be drawn; give a whole number from 1 to 2^32.`);
    }
    const limit = 2 ** 32 - (2 ** 32 % n);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % n;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  float(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Standard normal (Box and Muller 1958, the cosine half). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }

  /** Shuffles in place (Fisher and Yates) and returns the array. */
  shuffle<T>(array: T[]): T[] {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const other = array[j] as T;
      array[j] = array[i] as T;
      array[i] = other;
    }
    return array;
  }
}

function cipherOf(seed: string, label: string): Cipheriv {
  if (seed.includes("|")) throw new PermanentError(`The seed "${seed}" holds a "|", which parts seed from label.`);
  const key = createHash("sha256").update(`${seed}|${label}`, "utf8").digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
}
