import type { AdapterTensor } from "../model/adapter.ts";
import { type ExpectedTensor, readExactFile } from "./exactFile.ts";
import { writeSafetensors } from "./safetensors.ts";

/**
 * What rounding took from an update, as a file: a trainer adds it to a later update before that is rounded, so that nothing is lost for good (error
 * feedback: Seide et al. 2014, Karimireddy et al. 2019). One float32 tensor [rows, rank] a factor B, in the order of the layout.
 */
export function writeRest(layout: readonly AdapterTensor[], rest: Float32Array): Buffer {
  const expected = expectedTensors(layout);
  return writeSafetensors(
    layout.map(({ rows, columns, offset }, index) => {
      const part = rest.subarray(offset, offset + rows * columns);
      const data = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      return { ...(expected[index] as ExpectedTensor), data };
    }),
  );
}

/** @throws PermanentError if the bytes are not those of a rest of this layout. */
export function readRest(bytes: Uint8Array, layout: readonly AdapterTensor[], where: string): Float32Array {
  const contents = readExactFile(bytes, expectedTensors(layout), where);
  const all = Buffer.concat(contents); // a copy of its own, so it is aligned
  return Float32Array.from({ length: all.length / 4 }, (_, at) => all.readFloatLE(4 * at));
}

function expectedTensors(layout: readonly AdapterTensor[]): ExpectedTensor[] {
  return layout.map(({ name, rows, columns }) => ({ name, dtype: "F32", shape: [rows, columns] }));
}
