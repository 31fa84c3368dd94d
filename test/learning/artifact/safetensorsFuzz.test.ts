import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readHeader, type SafetensorsEntry } from "../../../learning/artifact/safetensors.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { propertySeed } from "../../support/property.ts";

const CASES = 100_000;
const random = new Stream(String(propertySeed), "safetensors headers");
const pick = <T>(values: readonly T[]): T => values[random.below(values.length)] as T;

const SIZES: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};
const DTYPES = Object.keys(SIZES);
const HOSTILE = [
  ...["0", "-0", "-1", "1.5", "1e3", "00", "0x8", "1e999", "NaN", "null", "true", '""', '"8"', "[]", "{}"],
  ...["4294967296", "9007199254740991", "9007199254740993", "18446744073709551616", "99999999999999999999"],
];
const NAMES = ["a", "b", "model.norm.weight", "__proto__", "__metadata__", "constructor", "\\u0061", "\\ud800", "é"];
const JUNK = ['"', "{", "}", "[", "]", ",", ":", " ", "\\", "\0", "\n", "\ufeff", "9", "e"];

type File = { json: string; data: number; length: bigint };

/** A good file of up to four tensors, as text. */
function good(): File {
  let position = 0;
  const entries = Array.from({ length: random.below(5) }, (_, i) => {
    const dtype = pick(DTYPES);
    const shape = Array.from({ length: random.below(4) }, () => 1 + random.below(4));
    const begin = position;
    position += shape.reduce((product, n) => product * n, SIZES[dtype] as number);
    return `"t${i}":{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${position}]}`;
  });
  if (random.below(4) === 0) entries.push('"__metadata__":{"format":"pt"}');
  return file(`{${random.shuffle(entries).join(",")}}`, position);
}

function file(json: string, data: number): File {
  return { json, data, length: BigInt(Buffer.byteLength(json)) };
}

const at = (text: string) => random.below(text.length + 1);
/** Replaces one of the places where a pattern matches. */
function replaceOne(text: string, pattern: RegExp, replacement: string): string {
  const matches = [...text.matchAll(pattern)];
  if (matches.length === 0) return text;
  const match = pick(matches);
  return text.slice(0, match.index) + replacement + text.slice(match.index + match[0].length);
}

/** Moves the data of all tensors that begin at or behind a place. */
function moved(json: string): string {
  const [from, by] = [random.below(40), 1 + random.below(4)];
  return json.replace(/\[(\d+),(\d+)\]\}/g, (whole, begin, end) =>
    Number(begin) < from ? whole : `[${Number(begin) + by},${Number(end) + by}]}`,
  );
}

const damages: ((good: File) => File)[] = [
  (good) => good,
  ({ json, data }) => file(json.replaceAll(",", pick([" ,", ",\n", ", "])), data),
  ({ json, data }) => file(json + " ".repeat(random.below(9)), data),
  ({ json, data }) => file(replaceOne(json, /\d+/g, pick(HOSTILE)), data),
  ({ json, data }) => file(replaceOne(json, /\d+/g, String(random.below(40))), data),
  ({ json, data }) => file(replaceOne(json, /"(?:[A-Z]+\d*)"/g, `"${pick([...DTYPES, "F8", "toString"])}"`), data),
  ({ json, data }) => file(replaceOne(json, /"t\d"/g, `"${pick([...NAMES, "t0", "t1"])}"`), data),
  ({ json, data }) =>
    file(replaceOne(json, /"(?:dtype|shape|data_offsets)"/g, `"${pick(["dtype", "shape", "x"])}"`), data),
  ({ json, data }) => file(replaceOne(json, /[[\]{},:"]/g, pick(JUNK)), data),
  ({ json, data }) => file(json.slice(0, at(json)) + pick(JUNK) + json.slice(at(json)), data),
  ({ json, data }) => file(json.slice(0, at(json)), data),
  ({ json, data }) => file(moved(json), data),
  ({ json, data }) => file(json, Math.max(0, data + random.below(17) - 8)),
  ({ json, data, length }) => ({ json, data, length: length + BigInt(random.below(33) - 16) }),
  ({ json, data }) => ({ json, data, length: BigInt(random.uint32()) ** BigInt(1 + random.below(2)) }),
  ({ json, data }) => file("[".repeat(random.below(6)) + json, data),
];

function bytesOf({ json, data, length }: File): Buffer {
  const text = Buffer.from(json);
  const bytes = Buffer.alloc(8 + text.length + data);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, length));
  text.copy(bytes, 8);
  return bytes.subarray(0, random.below(50) === 0 ? random.below(bytes.length + 1) : bytes.length);
}

/** What the format promises, said in another way: plain JSON, every byte of the data in exactly one tensor. */
function assertSound(bytes: Buffer, tensors: SafetensorsEntry[]): void {
  const start = 8 + Number(bytes.readBigUInt64LE());
  const json = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, unknown>;
  const { __metadata__: _, ...entries } = json;
  const found = tensors.map(({ name, dtype, shape, offset, bytes: length }) => [
    name,
    { dtype, shape, data_offsets: [offset - start, offset - start + length] },
  ]);
  assert.deepEqual(Object.fromEntries(found), entries);
  const owners = new Uint8Array(bytes.length - start);
  for (const { dtype, shape, offset, bytes: length } of tensors) {
    assert.equal(
      length,
      shape.reduce((product, n) => product * n, SIZES[dtype] as number),
    );
    for (let i = 0; i < length; i++) owners[offset - start + i] = (owners[offset - start + i] ?? 9) + 1;
  }
  assert.ok(owners.every((count) => count === 1));
}

describe("a safetensors header", () => {
  it(`of ${CASES} damaged ones is read as the format says or refused, and nothing else happens`, () => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0; // Nobody reads a hundred thousand traces.
    const counts = { read: 0, refused: 0 };
    for (let i = 0; i < CASES; i++) {
      const damage = pick(damages);
      const whole = good();
      const damaged = damage(random.below(3) === 0 ? pick(damages)(whole) : whole);
      const bytes = bytesOf(damaged);
      let tensors: SafetensorsEntry[];
      try {
        tensors = readHeader(bytes).tensors;
      } catch (error) {
        assert.ok(error instanceof PermanentError, `case ${i}: ${(error as Error).message}`);
        const isGood = damaged === whole && bytes.length === 8 + whole.json.length + whole.data;
        assert.ok(!isGood, `case ${i} is good, but: ${error.message}`);
        counts.refused++;
        continue;
      }
      assertSound(bytes, tensors);
      counts.read++;
    }
    Error.stackTraceLimit = stackTraceLimit;
    // Both happen often, so neither a reader of everything nor of nothing passes.
    assert.ok(counts.read > CASES / 10 && counts.refused > CASES / 2, JSON.stringify(counts));
  });
});
