import { open } from "node:fs/promises";
import { PermanentError } from "../../protocol/errors.ts";
import { readFileHeader, type SafetensorsDtype, type SafetensorsEntry } from "../artifact/safetensors.ts";

/** Bytes read at a time. */
const CHUNK = 1 << 22;

/** The bits of the exponent: all set in what is infinite or no number, and in nothing else (IEEE 754; bfloat16 is the upper half of a float32). */
const EXPONENT: Partial<Record<SafetensorsDtype, { bytes: 2 | 4; bits: number }>> = {
  F32: { bytes: 4, bits: 0x7f80_0000 },
  F16: { bytes: 2, bits: 0x7c00 },
  BF16: { bytes: 2, bits: 0x7f80 },
};

/**
 * Reads all floating-point numbers of a safetensors file once, a few MiB at a time.
 *
 * @throws PermanentError that names file, tensor and element of the first that is infinite or no number.
 */
export async function checkFinite(path: string): Promise<void> {
  const { tensors } = await readFileHeader(path);
  const file = await open(path, "r");
  const buffer = new ArrayBuffer(CHUNK);
  try {
    for (const tensor of tensors) await checkTensor(file, tensor, buffer, path);
  } finally {
    await file.close();
  }
}

async function checkTensor(
  file: Awaited<ReturnType<typeof open>>,
  { name, dtype, offset, bytes }: SafetensorsEntry,
  buffer: ArrayBuffer,
  path: string,
): Promise<void> {
  const exponent = EXPONENT[dtype];
  if (exponent === undefined) return;
  for (let done = 0; done < bytes; done += CHUNK) {
    const piece = new Uint8Array(buffer, 0, Math.min(CHUNK, bytes - done));
    const { bytesRead } = await file.read(piece, 0, piece.length, offset + done);
    if (bytesRead !== piece.length) throw new PermanentError(`${path}: the file ends in the middle of "${name}".`);
    requireFinite(piece, { name, dtype, first: done / exponent.bytes }, path);
  }
}

/**
 * Checks numbers of a tensor, from the element `first` on. `piece` begins at a multiple of 4 of its buffer.
 * @throws PermanentError that names file, tensor and element of the first that is infinite or no number.
 */
export function requireFinite(
  piece: Uint8Array,
  { name, dtype, first }: { name: string; dtype: SafetensorsDtype; first: number },
  path: string,
): void {
  const exponent = EXPONENT[dtype];
  if (exponent === undefined) return;
  const { buffer, byteOffset, byteLength } = piece;
  const count = byteLength / exponent.bytes;
  const words =
    exponent.bytes === 2 ? new Uint16Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count);
  const at = firstWith(words, exponent.bits);
  if (at === -1) return;
  throw new PermanentError(`${path}: element ${first + at} of "${name}" is infinite or no number; get the model anew.`);
}

function firstWith(words: Uint16Array | Uint32Array, bits: number): number {
  for (let i = 0; i < words.length; i++) if (((words[i] as number) & bits) === bits) return i;
  return -1;
}
