import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readFileHeader, readHeader, writeSafetensors } from "../../../learning/artifact/safetensors.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { holds } from "../../support/property.ts";

const good = () =>
  writeSafetensors([
    { name: "a", dtype: "I8", shape: [3], data: Uint8Array.of(1, 2, 3) },
    { name: "b", dtype: "F32", shape: [1, 2], data: new Uint8Array(8) },
  ]);

/** A file of any header and so many bytes of data. */
function file(header: string, data: number): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(data)]);
}

describe("safetensors", () => {
  it("reads what it wrote", () => {
    const bytes = good();
    const { tensors } = readHeader(bytes, { canonical: true });
    const [a, b] = tensors;
    assert.deepEqual(a, { name: "a", dtype: "I8", shape: [3], offset: bytes.length - 11, bytes: 3 });
    assert.deepEqual(b, { name: "b", dtype: "F32", shape: [1, 2], offset: bytes.length - 8, bytes: 8 });
    assert.equal((bytes.length - 11) % 8, 0, "the data are aligned");
    assert.deepEqual([...bytes.subarray(bytes.length - 11, bytes.length - 8)], [1, 2, 3]);
  });

  it("reads the header of a file as of bytes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flock-"));
    const path = join(folder, "x.safetensors");
    await writeFile(path, good());
    assert.deepEqual(await readFileHeader(path), readHeader(good()));
    await writeFile(path, good().subarray(0, 40));
    await assert.rejects(readFileHeader(path), PermanentError);
    await writeFile(path, Buffer.alloc(3));
    await assert.rejects(readFileHeader(path), PermanentError);
    await rm(folder, { recursive: true });
  });

  it("accepts metadata and any order of names, unless the canonical form is asked for", () => {
    const text =
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"I8","shape":[],"data_offsets":[2,3]},"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}';
    const { tensors, metadata } = readHeader(file(text, 3));
    assert.deepEqual(
      tensors.map(({ name }) => name),
      ["a", "b"],
    );
    assert.deepEqual([...metadata], [["format", "pt"]]);
    assert.throws(() => readHeader(file(text, 3), { canonical: true }), PermanentError);
  });

  it("has one canonical form: another padding, spacing or order is refused", () => {
    const header = '{"a":{"dtype":"I8","shape":[3],"data_offsets":[0,3]}}';
    const padding = " ".repeat(7 - ((header.length - 1) % 8));
    assert.doesNotThrow(() => readHeader(file(header + padding, 3), { canonical: true }));
    for (const other of [header, `${header + padding}        `, header.replace(":[3]", ": [3]")]) {
      assert.doesNotThrow(() => readHeader(file(other, 3)));
      assert.throws(() => readHeader(file(other, 3), { canonical: true }), /canonical/);
    }
  });

  const entry = (fields: string) => `{"a":{${fields}}}`;
  for (const [what, bytes] of Object.entries({
    "fewer than eight bytes": Buffer.alloc(7),
    "a header longer than the file": file("{}", 0).fill(255, 0, 1),
    "a header of 2^63 bytes": file("{}", 0).fill(255, 0, 8),
    "a header that does not begin with a brace": file(" {}", 0),
    "a list as header": file("[]", 0),
    "a header that is not JSON": file("{a}", 0),
    "a tensor twice": file(
      '{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
    "an unknown dtype": file(entry('"dtype":"Q4","shape":[1],"data_offsets":[0,1]'), 1),
    "a dtype inherited from objects": file(entry('"dtype":"toString","shape":[1],"data_offsets":[0,1]'), 1),
    "a field too many": file(entry('"dtype":"I8","shape":[1],"data_offsets":[0,1],"x":1'), 1),
    "a field too few": file(entry('"dtype":"I8","shape":[1]'), 1),
    "a negative dimension": file(entry('"dtype":"I8","shape":[-1,-1],"data_offsets":[0,1]'), 1),
    "a fractional dimension": file(entry('"dtype":"I8","shape":[0.5,2],"data_offsets":[0,1]'), 1),
    "a shape of nine dimensions": file(entry('"dtype":"I8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]'), 1),
    "an empty tensor": file(entry('"dtype":"I8","shape":[0],"data_offsets":[0,0]'), 0),
    "a product beyond 2^64": file(entry('"dtype":"I8","shape":[4294967296,4294967296],"data_offsets":[0,0]'), 0),
    "offsets that do not fit the shape": file(entry('"dtype":"F32","shape":[1],"data_offsets":[0,3]'), 3),
    "offsets the wrong way round": file(entry('"dtype":"I8","shape":[1],"data_offsets":[1,0]'), 1),
    "data that begin late": file(entry('"dtype":"I8","shape":[1],"data_offsets":[1,2]'), 2),
    "data that end early": file(entry('"dtype":"I8","shape":[1],"data_offsets":[0,1]'), 2),
    "data beyond the end": file(entry('"dtype":"I8","shape":[2],"data_offsets":[0,2]'), 1),
    "overlapping data": file(
      '{"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"I8","shape":[2],"data_offsets":[1,3]}}',
      3,
    ),
    "metadata that are not strings": file('{"__metadata__":{"a":1}}', 0),
  })) {
    it(`refuses ${what}`, () => {
      assert.throws(() => readHeader(bytes), PermanentError);
    });
  }

  it("refuses or reads any damaged file, and never fails otherwise", () => {
    const damage = fc.record({ at: fc.nat(good().length - 1), byte: fc.nat(255), cut: fc.nat(good().length) });
    holds(
      damage,
      ({ at, byte, cut }) => {
        const bytes = good();
        bytes[at] = byte;
        try {
          readHeader(bytes.subarray(0, cut % 4 === 0 ? cut : bytes.length));
        } catch (error) {
          assert.ok(error instanceof PermanentError, String(error));
        }
      },
      500,
    );
  });

  it("does not write a tensor whose bytes do not fill its shape", () => {
    assert.throws(
      () => writeSafetensors([{ name: "a", dtype: "F32", shape: [2], data: new Uint8Array(7) }]),
      /7 bytes/,
    );
    assert.throws(() => writeSafetensors([{ name: "a", dtype: "I8", shape: [0], data: new Uint8Array(0) }]), /0 bytes/);
  });
});
