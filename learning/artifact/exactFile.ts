import { PermanentError } from "../../protocol/errors.ts";
import { readHeader, type SafetensorsDtype, safetensorsHeader } from "./safetensors.ts";

/** A tensor that a file must hold. */
export type ExpectedTensor = { name: string; dtype: SafetensorsDtype; shape: readonly number[] };

const BYTES: Partial<Record<SafetensorsDtype, number>> = { I8: 1, I32: 4, F32: 4 };

/** Bytes of the one file that holds these tensors: known before anything of it is fetched or read. */
export function exactFileSize(expected: readonly ExpectedTensor[]): number {
  return safetensorsHeader(expected).length + expected.reduce((sum, tensor) => sum + sizeOf(tensor), 0);
}

/**
 * The content of each tensor, as views into `bytes`, if the file is the canonical safetensors file of exactly these tensors: there is one header only that
 * passes, and it is compared byte by byte. Nothing is allocated but that header.
 * @throws PermanentError that says what differs.
 */
export function readExactFile(bytes: Uint8Array, expected: readonly ExpectedTensor[], where: string): Uint8Array[] {
  const header = safetensorsHeader(expected);
  const same = bytes.length === exactFileSize(expected) && header.equals(bytes.subarray(0, header.length));
  if (!same) refuse(bytes, expected, where);
  let position = header.length;
  return expected.map((tensor) => {
    const start = position;
    position += sizeOf(tensor);
    return bytes.subarray(start, position);
  });
}

/** Says why a file is not the expected one. Reads no more than its header. */
function refuse(bytes: Uint8Array, expected: readonly ExpectedTensor[], where: string): never {
  const { tensors } = readHeader(bytes, { where, canonical: true });
  const at = expected.findIndex((tensor, index) => !isSame(tensor, tensors[index]));
  const found = tensors[at === -1 ? expected.length : at];
  throw new PermanentError(`${where}: the file holds ${described(found)} where ${described(expected[at])} must be.`);
}

function isSame(expected: ExpectedTensor, found: ExpectedTensor | undefined): boolean {
  return described(found) === described(expected);
}

function described(tensor: ExpectedTensor | undefined): string {
  if (tensor === undefined) return "no more tensor";
  return `"${tensor.name.slice(0, 100)}" ${tensor.dtype} [${tensor.shape}]`;
}

function sizeOf({ dtype, shape }: ExpectedTensor): number {
  return shape.reduce((product, length) => product * length, BYTES[dtype] ?? Number.NaN);
}
