import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { artifactSize, digest, readArtifact, writeArtifact } from "../../../learning/artifact/artifact.ts";
import { productNorm } from "../../../learning/artifact/norm.ts";
import type { Update } from "../../../learning/artifact/quantise.ts";
import { readHeader } from "../../../learning/artifact/safetensors.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { randomUpdate, smallLayout, smallLimit } from "../../support/adapter.ts";

const update = randomUpdate(new Stream("1", "artifact"));
const good = writeArtifact(update);
const headerEnd = 8 + Number(good.readBigUInt64LE());
const header = good.subarray(8, headerEnd).toString("utf8").trimEnd();

const read = (bytes: Uint8Array) => readArtifact(bytes, smallLayout, smallLimit);

/** The file with another header, of any length, before the same data. */
function withHeader(json: string | Buffer, data: Uint8Array = good.subarray(headerEnd)): Buffer {
  const text = Buffer.from(json);
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, data]);
}

/** The file with some bytes set, counted from the beginning of a tensor's data. */
function withData(name: string, bytes: number[]): Buffer {
  const copy = Buffer.from(good);
  const entry = readHeader(good).tensors.find((tensor) => tensor.name === name);
  copy.set(
    bytes.map((byte) => byte & 0xff),
    entry?.offset as number,
  );
  return copy;
}

describe("writeArtifact and readArtifact", () => {
  it("give the update back", () => {
    assert.deepEqual(read(good), update);
    assert.equal(good.length, artifactSize(smallLayout));
  });

  it("write one int8 tensor and its rows' exponents a factor, in the order of the layout, without gaps", () => {
    const { tensors, metadata } = readHeader(good);
    assert.equal(metadata.size, 0);
    assert.deepEqual(
      tensors.slice(0, 4).map(({ name, dtype, shape }) => [name, dtype, shape]),
      [
        ["layers.0.q_proj.B", "I8", [8, 3]],
        ["layers.0.q_proj.B.exponent", "I8", [8]],
        ["layers.0.k_proj.B", "I8", [4, 3]],
        ["layers.0.k_proj.B.exponent", "I8", [4]],
      ],
    );
    assert.equal(tensors.length, 2 * smallLayout.length);
  });

  it("give the same bytes on every machine", () => {
    assert.equal(digest(good), "0x011294fd99250f533e494e477d102f698746d929bcea7c455888fa693cce9878");
  });

  it("read a view into a larger buffer, at any offset, and keep no hold of it", () => {
    const around = Buffer.alloc(good.length + 16, 0xee);
    good.copy(around, 5);
    const result = read(around.subarray(5, 5 + good.length));
    around.fill(0);
    assert.deepEqual(result, update);
  });
});

describe("readArtifact refuses", () => {
  const swapped = () => {
    const fields = JSON.parse(header) as Record<string, unknown>;
    const [first, second, ...rest] = Object.entries(fields) as [string, { data_offsets: [number, number] }][];
    // The second tensor's name comes first; the data offsets stay in order.
    return JSON.stringify(Object.fromEntries([[second?.[0], first?.[1]], [first?.[0], second?.[1]], ...rest]));
  };
  const without = (name: string) => {
    const tensors = readHeader(good).tensors.filter((tensor) => tensor.name !== name);
    let position = 0;
    const fields = tensors.map(({ name, dtype, shape, bytes }) => {
      const begin = position;
      position += bytes;
      return `"${name}":{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${position}]}`;
    });
    return withHeader(`{${fields.join(",")}}`, good.subarray(headerEnd, headerEnd + position));
  };
  const last = "layers.1.down_proj.B.exponent";
  const end = good.length - headerEnd;
  const length = (value: bigint) => {
    const copy = Buffer.from(good);
    copy.writeBigUInt64LE(value);
    return copy;
  };
  // Rows of the first tensor, with exponents that allow what is tested.
  const row = (q: number[], exponent: number) => {
    const copy = withData("layers.0.q_proj.B", q);
    copy.set(
      withData("layers.0.q_proj.B.exponent", [exponent]).subarray(headerEnd + 24, headerEnd + 25),
      headerEnd + 24,
    );
    return copy;
  };

  const faults: [name: string, bytes: () => Uint8Array, pattern: RegExp][] = [
    ["nothing at all", () => Buffer.alloc(0), /0 bytes are too few/],
    ["seven bytes", () => good.subarray(0, 7), /7 bytes are too few/],
    ["a file cut within its header", () => good.subarray(0, headerEnd - 1), /the header's length \d+ goes beyond/],
    ["a file cut within its data", () => good.subarray(0, -1), /the tensors end at byte \d+, but the file has/],
    [
      "a file with one more byte",
      () => Buffer.concat([good, Buffer.alloc(1)]),
      /the tensors end at byte \d+, but the file/,
    ],
    ["a header longer than the file", () => length(BigInt(good.length)), /the header's length \d+ goes beyond/],
    [
      "a header of 2^64 - 1 bytes",
      () => length(2n ** 64n - 1n),
      /the header's length 18446744073709551615 goes beyond/,
    ],
    ["a header of more than 1 MiB", () => withHeader(" ".repeat(2 ** 20 + 8)), /beyond the file's \d+ bytes or 1 MiB/],
    ["an empty header", () => withHeader(""), /does not begin with "\{"/],
    ["a header that is no JSON", () => withHeader(`${header.slice(0, -1)},`), /wrong JSON/],
    ["a header that is no UTF-8", () => withHeader(Buffer.from([0x7b, 0xff, 0x7d])), /not UTF-8/],
    ["a header that begins with a space", () => withHeader(` ${header}`), /does not begin with "\{"/],
    ["a name twice", () => withHeader(header.replace("{", `{"layers.0.q_proj.B":1,`)), /is not allowed here/],
    ["__proto__", () => withHeader(header.replace("{", `{"__proto__":1,`)), /"__proto__" is not allowed here/],
    [
      "metadata",
      () => withHeader(header.replace("{", `{"__metadata__":{"a":"b"},`)),
      /not written in the canonical form/,
    ],
    ["spaces", () => withHeader(header.replace(":", ": ")), /not written in the canonical form/],
    [
      "another number's spelling",
      () => withHeader(header.replace("[8,3]", "[8.0,3]")),
      /not written in the canonical form/,
    ],
    ["escaped names", () => withHeader(header.replace("layers", "\\u006cayers")), /not written in the canonical form/],
    ["too much padding", () => withHeader(`${header}${" ".repeat(8)}`), /not written in the canonical form/],
    ["other padding", () => withHeader(`${header}\n`), /not written in the canonical form/],
    [
      "an unknown name",
      () => withHeader(header.replace("q_proj", "x_proj")),
      /holds "layers\.0\.x_proj\.B" I8 \[8,3\] where "layers\.0\.q_proj\.B" I8 \[8,3\] must be/,
    ],
    ["tensors in another order", () => withHeader(swapped()), /where "layers\.0\.q_proj\.B" I8 \[8,3\] must be/],
    ["a tensor missing", () => without("layers.0.k_proj.B"), /where "layers\.0\.k_proj\.B" I8 \[4,3\] must be/],
    [
      "the last tensor missing",
      () => without(last),
      /holds no more tensor where "layers\.1\.down_proj\.B\.exponent" I8 \[8\] must be/,
    ],
    [
      "a tensor too many",
      () =>
        withHeader(
          header.replace(/\}$/, `,"more":{"dtype":"I8","shape":[1],"data_offsets":[${end},${end + 1}]}}`),
          Buffer.concat([good.subarray(headerEnd), Buffer.alloc(1)]),
        ),
      /holds "more" I8 \[1\] where no more tensor must be/,
    ],
    [
      "another type",
      () => withHeader(header.replace('"I8"', '"U8"')),
      /holds "layers\.0\.q_proj\.B" U8 \[8,3\] where "layers\.0\.q_proj\.B" I8 \[8,3\] must be/,
    ],
    ["an unknown type", () => withHeader(header.replace('"I8"', '"I4"')), /has a dtype that is not supported/],
    [
      "a transposed shape",
      () => withHeader(header.replace("[8,3]", "[3,8]")),
      /I8 \[3,8\] where .* I8 \[8,3\] must be/,
    ],
    [
      "a shape of other rank",
      () => withHeader(header.replace("[8,3]", "[24]")),
      /I8 \[24\] where .* I8 \[8,3\] must be/,
    ],
    [
      "a shape that overflows",
      () => withHeader(header.replace("[8,3]", "[4294967296,4294967296]")),
      /takes 18446744073709551616 bytes/,
    ],
    [
      "a negative shape",
      () => withHeader(header.replace("[8,3]", "[-8,-3]")),
      /shape that is not a list of whole numbers/,
    ],
    [
      "offsets that overlap",
      () => withHeader(header.replace("[24,32]", "[23,31]")),
      /does not begin where the one before it ends/,
    ],
    [
      "offsets with a gap",
      () => withHeader(header.replace("[24,32]", "[25,33]")),
      /does not begin where the one before it ends/,
    ],
    [
      "offsets that say too little",
      () => withHeader(header.replace("[24,32]", "[24,31]")),
      /takes 8 bytes .*offsets are 24 to 31/,
    ],
    [
      "an exponent above its range",
      () => row([64, 0, 0], 1),
      /row 0 of "layers\.0\.q_proj\.B" has the exponent 1, outside -24 to 0/,
    ],
    ["an exponent below its range", () => row([64, 0, 0], -25), /has the exponent -25, outside -24 to 0/],
    ["-128", () => row([-128, 0, 0], -7), /holds -128/],
    ["a row that a smaller exponent holds", () => row([63, -63, 0], -7), /is not written with its smallest exponent/],
    ["a zero row with an exponent", () => row([0, 0, 0], -7), /is not written with its smallest exponent/],
    [
      "an update that is too long",
      () => row([127, 127, 127], 0),
      /the norm of its product is \d+.*, but at most 10 is allowed/,
    ],
  ];
  for (const [name, bytes, pattern] of faults) {
    it(name, () => {
      assert.throws(
        () => readArtifact(bytes(), smallLayout, { ...smallLimit, maxNorm: 10 }, "artifact 0x12"),
        (error: Error) => {
          assert.ok(error instanceof PermanentError, `${error.stack}`);
          assert.match(error.message, /^artifact 0x12: /);
          assert.match(error.message, pattern);
          return true;
        },
      );
    });
  }

  it("every shorter file and every file that goes on", () => {
    for (let size = 0; size < good.length; size++) assert.throws(() => read(good.subarray(0, size)), PermanentError);
    assert.throws(() => read(Buffer.concat([good, good])), PermanentError);
  });
});

describe("the norm limit", () => {
  it("admits what is exactly as long, and nothing longer", () => {
    const maxNorm = productNorm(update, smallLimit);
    assert.deepEqual(readArtifact(good, smallLayout, { ...smallLimit, maxNorm }), update);
    const below = maxNorm * (1 - 2 ** -52);
    assert.throws(() => readArtifact(good, smallLayout, { ...smallLimit, maxNorm: below }), /the norm of its product/);
  });
});

describe("readArtifact under mutation", () => {
  /** Whatever comes in is refused by a sentence, or is the one file of what comes out. */
  function holds(bytes: Uint8Array): boolean {
    let result: Update;
    try {
      result = read(bytes);
    } catch (error) {
      assert.ok(error instanceof PermanentError, (error as Error).stack);
      return false;
    }
    assert.deepEqual(writeArtifact(result), Buffer.from(bytes));
    return true;
  }

  it("accepts nothing but canonical files when bytes anywhere are changed", () => {
    const stream = new Stream("2", "mutation");
    let accepted = 0;
    for (let round = 0; round < 15_000; round++) {
      const bytes = Buffer.from(good);
      for (let change = 0; change <= stream.below(3); change++) bytes[stream.below(bytes.length)] = stream.below(256);
      if (holds(bytes)) accepted++;
    }
    assert.ok(accepted > 500, `only ${accepted} of the changed files were still updates`);
  });

  it("accepts nothing but the one header when the header is changed", () => {
    const stream = new Stream("3", "mutation");
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "0",
      "9",
      "-",
      "e",
      ".",
      " ",
      "null",
      '"I8"',
      '"I32"',
      "\\u0000",
      "\0",
      "é",
    ];
    for (let round = 0; round < 25_000; round++) {
      let text = header;
      for (let change = 0; change <= stream.below(3); change++) {
        const at = stream.below(text.length);
        const cut = stream.below(6);
        text =
          text.slice(0, at) + (stream.below(4) === 0 ? "" : pieces[stream.below(pieces.length)]) + text.slice(at + cut);
      }
      if (text !== header) assert.equal(holds(withHeader(text)), false);
    }
  });
});
