import { createHash } from "node:crypto";
import type { Hex } from "viem";
import { type ExpectedTensor, exactFileSize, readExactFile } from "../artifact/exactFile.ts";
import { writeSafetensors } from "../artifact/safetensors.ts";
import type { AdapterTensor } from "../model/adapter.ts";

/** One factor B of the head, [rows, columns] row-major: the element is `values[...] * 2^-exponent`. */
export type HeadTensor = { name: string; rows: number; columns: number; values: Int32Array };

/** The adapter that the task has reached, in whole numbers: every machine that follows the lineage holds the same. */
export type Head = { exponent: number; tensors: HeadTensor[] };

/** The head's fixed point where the manifest names no other: steps of 2^-20, a range of ±2048. */
export const HEAD_EXPONENT = 20;

/** The first head of every task: the base model unchanged. */
export function zeroHead(layout: readonly AdapterTensor[], exponent: number = HEAD_EXPONENT): Head {
  const tensors = layout.map(({ name, rows, columns }) => ({
    name,
    rows,
    columns,
    values: new Int32Array(rows * columns),
  }));
  return { exponent, tensors };
}

function expectedTensors(layout: readonly Pick<AdapterTensor, "name" | "rows" | "columns">[]): ExpectedTensor[] {
  return layout.map(({ name, rows, columns }) => ({ name, dtype: "I32", shape: [rows, columns] }));
}

/** Bytes of every head of this adapter. */
export function headSize(layout: readonly AdapterTensor[]): number {
  return exactFileSize(expectedTensors(layout));
}

/** The head's canonical bytes: safetensors, one I32 tensor a factor B in the order of the layout. */
export function writeHead(head: Head): Buffer {
  const expected = expectedTensors(head.tensors);
  return writeSafetensors(
    head.tensors.map(({ values }, index) => {
      const data = Buffer.alloc(values.length * 4);
      values.forEach((value, at) => {
        data.writeInt32LE(value, 4 * at);
      });
      return { ...(expected[index] as ExpectedTensor), data };
    }),
  );
}

/**
 * A head from its canonical bytes.
 * @throws PermanentError if they are not the canonical bytes of a head of this layout.
 */
export function readHead(
  bytes: Uint8Array,
  layout: readonly AdapterTensor[],
  exponent: number = HEAD_EXPONENT,
  where = "the head",
): Head {
  const contents = readExactFile(bytes, expectedTensors(layout), where);
  const tensors = layout.map(({ name, rows, columns }, index) => {
    const content = contents[index] as Uint8Array;
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    const values = Int32Array.from({ length: rows * columns }, (_, at) => view.getInt32(4 * at, true));
    return { name, rows, columns, values };
  });
  return { exponent, tensors };
}

/** The first 20 bytes of the sha256 of a head's canonical bytes: what a ballot says it measured against. */
export function headDigest(bytes: Uint8Array): Hex {
  return `0x${createHash("sha256").update(bytes).digest("hex").slice(0, 40)}`;
}

/** The head as a flat float32 adapter, each element rounded to nearest: where trainers start and validators measure. */
export function headToFlat(head: Head): Float32Array {
  const step = 2 ** -head.exponent;
  const flat = new Float32Array(head.tensors.reduce((sum, { values }) => sum + values.length, 0));
  let offset = 0;
  for (const { values } of head.tensors) {
    for (const value of values) flat[offset++] = value * step;
  }
  return flat;
}
