import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { checkFinite } from "../../../learning/model/finite.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { writeRandomCheckpoint } from "../../support/randomCheckpoint.ts";

const config = {
  ...{ model_type: "llama", vocab_size: 32, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
  ...{ intermediate_size: 24, max_position_embeddings: 32, rms_norm_eps: 1e-5 },
};
const EMBEDDING = "model.embed_tokens.weight";

let folder: string;
let file: string;
let good: Buffer;
let header: string;
let data: Buffer;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-"));
  file = join(folder, "model.safetensors");
  await writeRandomCheckpoint(folder, config);
  good = await readFile(file);
  const end = 8 + Number(good.readBigUInt64LE());
  header = good.toString("utf8", 8, end).trimEnd();
  data = good.subarray(end);
});
after(() => rm(folder, { recursive: true }));

/** The file with another header before the same data; padded, so that the data stay where they can be read. */
function withHeader(json: string | Buffer, content: Uint8Array = data): Buffer {
  const text = Buffer.from(json);
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, content]);
}

function withLength(length: bigint): Buffer {
  const bytes = Buffer.from(good);
  bytes.writeBigUInt64LE(length);
  return bytes;
}

/** The data with a float32 in the place of the embedding's third number. */
function withNumber(value: number): Buffer {
  const bytes = Buffer.from(good);
  bytes.writeFloatLE(value, good.length - data.length + 8);
  return bytes;
}

const first = '[32,16],"data_offsets":[0,2048]';
const second = '"data_offsets":[2048,2112]';
const has = (text: string) => {
  assert.ok(header.includes(text), `the good header has ${text}`);
  return text;
};
const instead = (from: string, to: string) => withHeader(header.replace(has(from), to));

/** One bad file for each class of fault that a safetensors file can have, and what is said of it. */
const faults: [what: string, bytes: () => Uint8Array, message: RegExp][] = [
  ["nothing at all", () => Buffer.alloc(0), /0 bytes are too few/],
  ["seven bytes", () => good.subarray(0, 7), /7 bytes are too few/],
  ["a header longer than the file", () => withLength(BigInt(good.length)), /header's length \d+ goes beyond/],
  ["a header of 2^64 - 1 bytes", () => withLength(2n ** 64n - 1n), /header's length 18446744073709551615 goes beyond/],
  ["a header of over 1 MiB", () => withHeader(header + " ".repeat(2 ** 20)), /beyond the file's \d+ bytes or 1 MiB/],
  ["a header that begins with a space", () => withHeader(` ${header}`), /does not begin with "\{"/],
  ["an empty header", () => withLength(0n), /does not begin with "\{"/],
  ["a header that is no UTF-8", () => withHeader(Buffer.from([0x7b, 0xff, 0x7d])), /not UTF-8/],
  ["a header that is no JSON", () => withHeader(header.slice(0, -1)), /wrong JSON at character/],
  [
    "a name twice",
    () => withHeader(header.replace("{", `{"${EMBEDDING}":1,`)),
    /"model\.embed_tokens\.weight" is not allowed here/,
  ],
  ["__proto__ for a name", () => withHeader(header.replace("{", '{"__proto__":1,')), /"__proto__" is not allowed here/],
  ["a header nested too deeply", () => withHeader(header.replace("{", '{"x":[[[[1]]]],')), /nested too deeply/],
  [
    "metadata that are no words",
    () => withHeader(header.replace("{", '{"__metadata__":{"a":1},')),
    /__metadata__ is not/,
  ],
  [
    "a type that there is not",
    () => instead('"F32"', '"F8"'),
    /"model\.embed_tokens\.weight" has a dtype that is not supported/,
  ],
  ["a type that is not computed with", () => instead('"F32"', '"I32"'), /"model\.embed_tokens\.weight" is I32/],
  ["a shape with a negative number", () => instead("[32,16]", "[-32,-16]"), /has a shape that is not a list of whole/],
  [
    "a shape that wraps around",
    () => instead("[32,16]", "[4294967296,4294967296]"),
    /takes 73786976294838206464 bytes/,
  ],
  ["a shape that asks for a terabyte", () => instead("[32,16]", "[524288,524288]"), /takes 1099511627776 bytes/],
  [
    "a tensor without numbers",
    () => instead(first, '[0],"data_offsets":[0,0]'),
    /"model\.embed_tokens\.weight" is empty/,
  ],
  ["offsets that do not fit the shape", () => instead("[0,2048]", "[0,2044]"), /its offsets are 0 to 2044/],
  ["offsets the wrong way round", () => instead("[0,2048]", "[2048,0]"), /its offsets are 2048 to 0/],
  [
    "tensors that overlap",
    () => instead(second, '"data_offsets":[2044,2108]'),
    /does not begin where the one before it ends/,
  ],
  [
    "a gap between tensors",
    () => instead(second, '"data_offsets":[2052,2116]'),
    /does not begin where the one before it ends/,
  ],
  ["a byte too few", () => good.subarray(0, -1), /the tensors end at byte \d+, but the file has \d+/],
  [
    "a byte too many",
    () => Buffer.concat([good, Buffer.alloc(1)]),
    /the tensors end at byte \d+, but the file has \d+/,
  ],
  [
    "a tensor of another name",
    () => instead(EMBEDDING, "model.embed_tokens.weighs"),
    /has no tensor "model\.embed_tokens\.weight"/,
  ],
  [
    "a tensor of another shape",
    () => instead("[32,16]", "[16,32]"),
    /"model\.embed_tokens\.weight" is \[16,32\], but config\.json/,
  ],
  [
    "a tensor too many",
    () => {
      const more = `,"more":{"dtype":"F32","shape":[1],"data_offsets":[${data.length},${data.length + 4}]}}`;
      return withHeader(header.replace(/\}$/, more), Buffer.concat([data, Buffer.alloc(4)]));
    },
    /has a tensor "more" that a llama of this config\.json does not have/,
  ],
  [
    "infinity",
    () => withNumber(Number.POSITIVE_INFINITY),
    /element 2 of "model\.embed_tokens\.weight" is infinite or no/,
  ],
  [
    "something that is no number",
    () => withNumber(Number.NaN),
    /element 2 of "model\.embed_tokens\.weight" is infinite or no/,
  ],
];

/** What is done with a base model's weights before they are used. */
async function read(): Promise<void> {
  await openCheckpoint(folder);
  await checkFinite(file);
}

describe("a base model's weights", () => {
  it("are read where nothing is wrong", async () => {
    await writeFile(file, withHeader(header));
    await read();
    await writeFile(file, withNumber(1e38));
    await read();
  });

  for (const [what, bytes, message] of faults) {
    it(`with ${what} are refused, the file named, and nothing is allocated for them`, async () => {
      await writeFile(file, bytes());
      const before = process.memoryUsage();
      await assert.rejects(read(), (error: Error) => {
        assert.ok(error instanceof PermanentError, error.stack);
        assert.match(error.message, message);
        assert.match(error.message, /model\.safetensors/);
        return true;
      });
      const now = process.memoryUsage();
      assert.ok(now.arrayBuffers + now.heapTotal - before.arrayBuffers - before.heapTotal < 64 * 2 ** 20);
    });
  }
});
