import { open } from "node:fs/promises";
import { PermanentError } from "../../protocol/errors.ts";
import { parseStrictJson, type StrictJson } from "./strictJson.ts";

/** Bytes an element, of the types that we meet. */
const BYTES_OF = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;
export type SafetensorsDtype = keyof typeof BYTES_OF;

/** One tensor of a file: `bytes` bytes from `offset`, counted from the beginning of the *file*; row-major, little-endian. */
export type SafetensorsEntry = {
  name: string;
  dtype: SafetensorsDtype;
  shape: number[];
  offset: number;
  bytes: number;
};

export type SafetensorsHeader = {
  /** In the order in which the data lie in the file. */
  tensors: SafetensorsEntry[];
  metadata: Map<string, string>;
};

export type ReadHeaderOptions = {
  /** Named in errors. */
  where?: string | undefined;
  /** Only the very bytes that `writeSafetensors` writes: no metadata, names in the order of the data, one padding. */
  canonical?: boolean | undefined;
};

const MAX_HEADER = 1 << 20;

/**
 * Reads the header of a safetensors file (https://github.com/huggingface/safetensors#format) that somebody else wrote, before anything is
 * allocated for its content: length within the file and 1 MiB, strict JSON, known types, whole numbers, ranges that follow each other without gap or
 * overlap and end with the file.
 *
 * @throws PermanentError with the first thing that is wrong.
 */
export function readHeader(bytes: Uint8Array, options: ReadHeaderOptions = {}): SafetensorsHeader {
  const where = options.where ?? "the safetensors bytes";
  const length = headerLength(bytes, bytes.length, where);
  return parseHeader(bytes.subarray(8, 8 + length), bytes.length, where, options.canonical ?? false);
}

/** `readHeader` for a file of any size: reads its header only. */
export async function readFileHeader(path: string, options: ReadHeaderOptions = {}): Promise<SafetensorsHeader> {
  const where = options.where ?? path;
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const start = await readExactly(file, 0, Math.min(8, size), where);
    const length = headerLength(start, size, where);
    return parseHeader(await readExactly(file, 8, length, where), size, where, options.canonical ?? false);
  } finally {
    await file.close();
  }
}

export type SafetensorsTensor = { name: string; dtype: SafetensorsDtype; shape: readonly number[]; data: Uint8Array };

/** The canonical file: tensors in the order given, without gaps, the header padded by spaces so that the data start at a multiple of 8, no metadata. */
export function writeSafetensors(tensors: readonly SafetensorsTensor[]): Buffer {
  for (const { name, dtype, shape, data } of tensors) {
    const expected = sizeOf(dtype, shape);
    if (BigInt(data.length) !== expected || expected === 0n) {
      throw new PermanentError(
        `The tensor "${name}" has ${data.length} bytes, but ${dtype} [${shape}] takes ${expected}.`,
      );
    }
  }
  return Buffer.concat([safetensorsHeader(tensors), ...tensors.map((tensor) => tensor.data)]);
}

/** What the canonical file of these tensors begins with: eight bytes of length and the padded JSON. With `metadata` the file is a sound one, but not canonical. */
export function safetensorsHeader(
  tensors: readonly Omit<SafetensorsTensor, "data">[],
  metadata: ReadonlyMap<string, string> = new Map(),
): Buffer {
  const described = tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape, bytes: bytesOf({ dtype, shape }) }));
  const json = canonicalHeader(described, metadata);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json]);
}

/** Bytes of a tensor's content. */
export function bytesOf({ dtype, shape }: Pick<SafetensorsTensor, "dtype" | "shape">): number {
  return Number(sizeOf(dtype, shape));
}

type Described = { name: string; dtype: SafetensorsDtype; shape: readonly number[]; bytes: number };

function canonicalHeader(tensors: readonly Described[], metadata: ReadonlyMap<string, string> = new Map()): Buffer {
  let position = 0;
  const first = metadata.size === 0 ? [] : [`"__metadata__":${JSON.stringify(Object.fromEntries(metadata))}`];
  const fields = tensors.map(({ name, dtype, shape, bytes }) => {
    const begin = position;
    position += bytes;
    return `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${position}]}`;
  });
  const json = Buffer.from(`{${[...first, ...fields].join(",")}}`, "utf8");
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, " ");
  json.copy(padded);
  return padded;
}

function headerLength(start: Uint8Array, fileBytes: number, where: string): number {
  if (start.length < 8) throw new PermanentError(`${where}: ${fileBytes} bytes are too few for a safetensors file.`);
  const length = Buffer.from(start.buffer, start.byteOffset, 8).readBigUInt64LE();
  if (length > BigInt(MAX_HEADER) || 8n + length > BigInt(fileBytes)) {
    throw new PermanentError(
      `${where}: the header's length ${length} goes beyond the file's ${fileBytes} bytes or 1 MiB.`,
    );
  }
  return Number(length);
}

function parseHeader(json: Uint8Array, fileBytes: number, where: string, canonical: boolean): SafetensorsHeader {
  if (json[0] !== "{".charCodeAt(0)) throw new PermanentError(`${where}: the header does not begin with "{".`);
  const fields = parseStrictJson(json, { where }) as Map<string, StrictJson>;
  const metadata = parseMetadata(fields.get("__metadata__"), where);
  fields.delete("__metadata__");
  const base = 8 + json.length;
  const tensors = [...fields].map(([name, value]) => parseEntry(name, value, base, where));
  if (!canonical) tensors.sort((a, b) => a.offset - b.offset);
  let position = base;
  for (const { name, offset, bytes } of tensors) {
    if (offset !== position) {
      throw new PermanentError(`${where}: the tensor "${name}" does not begin where the one before it ends.`);
    }
    position += bytes;
  }
  if (position !== fileBytes) {
    throw new PermanentError(`${where}: the tensors end at byte ${position}, but the file has ${fileBytes} bytes.`);
  }
  if (canonical && !canonicalHeader(tensors).equals(json)) {
    throw new PermanentError(`${where}: the header is not written in the canonical form.`);
  }
  return { tensors, metadata };
}

function parseEntry(name: string, value: StrictJson, base: number, where: string): SafetensorsEntry {
  const fail = (what: string): never => {
    throw new PermanentError(`${where}: the tensor ${JSON.stringify(name)} ${what}.`);
  };
  if (!(value instanceof Map) || value.size !== 3) return fail("needs dtype, shape and data_offsets, and nothing else");
  const dtype = value.get("dtype");
  if (!isDtype(dtype)) return fail("has a dtype that is not supported");
  const shape = wholeNumbers(value.get("shape")) ?? fail("has a shape that is not a list of whole numbers");
  const range = wholeNumbers(value.get("data_offsets"));
  if (range?.length !== 2) return fail("has data_offsets that are not two whole numbers");
  const [begin, end] = range as [number, number];
  const bytes = sizeOf(dtype, shape);
  if (bytes === 0n) return fail("is empty");
  if (BigInt(end) - BigInt(begin) !== bytes) {
    return fail(`takes ${bytes} bytes as ${dtype} [${shape}], but its offsets are ${begin} to ${end}`);
  }
  return { name, dtype, shape, offset: base + begin, bytes: end - begin };
}

function parseMetadata(value: StrictJson | undefined, where: string): Map<string, string> {
  if (value === undefined) return new Map();
  if (!(value instanceof Map) || ![...value.values()].every((entry) => typeof entry === "string")) {
    throw new PermanentError(`${where}: __metadata__ is not an object of strings.`);
  }
  return value as Map<string, string>;
}

function isDtype(value: StrictJson | undefined): value is SafetensorsDtype {
  return typeof value === "string" && Object.hasOwn(BYTES_OF, value);
}

function wholeNumbers(value: StrictJson | undefined): number[] | undefined {
  const whole = Array.isArray(value) && value.length <= 8 && value.every(isWhole);
  return whole ? (value as number[]) : undefined;
}

function isWhole(value: StrictJson): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && !Object.is(value, -0);
}

/** As BigInt: a product of hostile dimensions must not wrap or round. */
function sizeOf(dtype: SafetensorsDtype, shape: readonly number[]): bigint {
  return shape.reduce((product, n) => product * BigInt(n), BigInt(BYTES_OF[dtype]));
}

type Readable = {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
};

async function readExactly(file: Readable, position: number, length: number, where: string): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead !== length) throw new PermanentError(`${where}: the file ends before byte ${position + length}.`);
  return buffer;
}
