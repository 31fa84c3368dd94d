import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { headDigest, headSize, headToFlat, readHead, writeHead, zeroHead } from "../../../learning/aggregate/head.ts";
import { readHeader } from "../../../learning/artifact/safetensors.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { smallLayout } from "../../support/adapter.ts";

const stream = new Stream("1", "head");
const head = zeroHead(smallLayout);
for (const tensor of head.tensors) tensor.values = tensor.values.map(() => stream.uint32());
const bytes = writeHead(head);

describe("a head's file", () => {
  it("gives the head back, from any place in memory", () => {
    assert.deepEqual(readHead(bytes, smallLayout), head);
    const around = Buffer.alloc(bytes.length + 8);
    bytes.copy(around, 3);
    assert.deepEqual(readHead(around.subarray(3, 3 + bytes.length), smallLayout), head);
    assert.equal(bytes.length, headSize(smallLayout));
  });

  it("holds one little-endian I32 tensor a factor, in the order of the layout", () => {
    const { tensors } = readHeader(bytes, { canonical: true });
    assert.deepEqual(
      tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
      smallLayout.map(({ name, rows, columns }) => [name, "I32", [rows, columns]]),
    );
    assert.equal(bytes.readInt32LE((tensors[1]?.offset as number) + 4), head.tensors[1]?.values[1]);
  });

  it("is the same on every machine, and so is its digest", () => {
    assert.equal(headDigest(bytes), "0x42ec788ef74d2f7a237b23cc11c896e8e0568b72");
    assert.match(headDigest(writeHead(zeroHead(smallLayout))), /^0x[0-9a-f]{40}$/);
  });

  it("is refused when any of it is missing or its header differs", () => {
    for (let size = 0; size < bytes.length; size++) {
      assert.throws(() => readHead(bytes.subarray(0, size), smallLayout), PermanentError);
    }
    assert.throws(() => readHead(Buffer.concat([bytes, Buffer.alloc(1)]), smallLayout), PermanentError);
    const headerEnd = 8 + Number(bytes.readBigUInt64LE());
    for (let at = 0; at < headerEnd; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      assert.throws(
        () => readHead(changed, smallLayout, 20, "head 0x12"),
        (error) => error instanceof PermanentError && error.message.startsWith("head 0x12: "),
      );
    }
  });
});

describe("headToFlat", () => {
  it("gives values * 2^-exponent, each rounded once to float32", () => {
    const flat = headToFlat(head);
    const values = head.tensors.flatMap((tensor) => [...tensor.values]);
    assert.equal(flat.length, values.length);
    values.forEach((value, at) => {
      assert.equal(flat[at], Math.fround(value / 2 ** 20));
    });
    assert.equal(headToFlat({ ...head, exponent: 8 })[0], Math.fround((values[0] as number) / 256));
  });

  it("is zero for the first head", () => {
    assert.ok(headToFlat(zeroHead(smallLayout)).every((value) => Object.is(value, 0)));
  });
});
