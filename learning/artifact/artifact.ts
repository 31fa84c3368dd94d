import { createHash } from "node:crypto";
import type { Hex } from "viem";
import { PermanentError } from "../../protocol/errors.ts";
import type { AdapterTensor } from "../model/adapter.ts";
import { type ExpectedTensor, exactFileSize, readExactFile } from "./exactFile.ts";
import { type NormLimit, productNorm } from "./norm.ts";
import { MAX_EXPONENT, MIN_EXPONENT, type Update, type UpdateTensor } from "./quantise.ts";
import { writeSafetensors } from "./safetensors.ts";

/**
 * The file that a trainer publishes: canonical safetensors, in the order of the layout for each factor B its signed bytes
 * `layers.{l}.{target}.B`, I8 [rows, rank], and its rows' exponents `layers.{l}.{target}.B.exponent`, I8 [rows].
 * One update has one file, and one file one update.
 */
function expectedTensors(layout: readonly Pick<AdapterTensor, "name" | "rows" | "columns">[]): ExpectedTensor[] {
  return layout.flatMap(({ name, rows, columns }): ExpectedTensor[] => [
    { name, dtype: "I8", shape: [rows, columns] },
    { name: `${name}.exponent`, dtype: "I8", shape: [rows] },
  ]);
}

/** Bytes of every artifact of this adapter: what a fetch may at most take. */
export function artifactSize(layout: readonly AdapterTensor[]): number {
  return exactFileSize(expectedTensors(layout));
}

export function writeArtifact(update: Update): Buffer {
  const contents = update.tensors.flatMap(({ q, exponents }) => [bytesOf(q), bytesOf(exponents)]);
  return writeSafetensors(
    expectedTensors(update.tensors).map((tensor, index) => ({ ...tensor, data: contents[index] as Uint8Array })),
  );
}

/**
 * The update in a file that another party wrote. Every file that is accepted here is one that `writeArtifact` writes: no other header, no exponent out of
 * range, no row that a smaller exponent would have held, no norm beyond the limit.
 * @throws PermanentError with the first thing that is wrong.
 */
export function readArtifact(
  bytes: Uint8Array,
  layout: readonly AdapterTensor[],
  limit: NormLimit,
  where = "the artifact",
): Update {
  const contents = readExactFile(bytes, expectedTensors(layout), where);
  const tensors = layout.map(({ name, rows, columns }, index): UpdateTensor => {
    const q = Int8Array.from(new Int8Array(...span(contents[2 * index] as Uint8Array)));
    const exponents = Int8Array.from(new Int8Array(...span(contents[2 * index + 1] as Uint8Array)));
    const tensor = { name, rows, columns, q, exponents };
    checkRows(tensor, where);
    return tensor;
  });
  const norm = productNorm({ tensors }, limit);
  if (norm > limit.maxNorm) {
    throw new PermanentError(`${where}: the norm of its product is ${norm}, but at most ${limit.maxNorm} is allowed.`);
  }
  return { tensors };
}

function checkRows({ name, rows, columns, q, exponents }: UpdateTensor, where: string): void {
  for (let row = 0; row < rows; row++) {
    const fail = (what: string): never => {
      throw new PermanentError(`${where}: row ${row} of "${name}" ${what}.`);
    };
    const exponent = exponents[row] as number;
    if (exponent < MIN_EXPONENT || exponent > MAX_EXPONENT) {
      fail(`has the exponent ${exponent}, outside ${MIN_EXPONENT} to ${MAX_EXPONENT}`);
    }
    let largest = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) largest = Math.max(largest, Math.abs(q[at] as number));
    if (largest > 127) fail("holds -128, outside -127 to 127");
    if (largest < 64 && exponent > MIN_EXPONENT) fail(`is not written with its smallest exponent`);
  }
}

/** sha256 of bytes: what names an artifact on chain. */
export function digest(bytes: Uint8Array): Hex {
  return `0x${createHash("sha256").update(bytes).digest("hex")}`;
}

function bytesOf(array: Int8Array): Uint8Array {
  return new Uint8Array(...span(array));
}

function span(view: ArrayBufferView): [ArrayBufferLike, number, number] {
  return [view.buffer, view.byteOffset, view.byteLength];
}
