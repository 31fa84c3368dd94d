import { concat, type Hex, hexToNumber, size, sliceHex } from "viem";
import type { Compiled } from "./compiled.ts";

/** `other metadata`: other comments or compiler settings that leave no trace in what is executed. */
export type CodeComparison =
  | { code: "same" | "other metadata"; immutables: ImmutableDifference[] }
  | { code: "other"; byte: number; bytes: [found: number, wanted: number] };
/** Words of 32 bytes. */
export type ImmutableDifference = { name: string; found: Hex; wanted: Hex };

/** Compares deployed code with what it must be: first what is executed, then each immutable variable by its name. */
export function compareCode(found: Hex, wanted: Hex, immutables: Compiled["immutables"]): CodeComparison {
  const places = immutables.flatMap((each) => each.places);
  const [executed, expected] = [masked(withoutMetadata(found), places), masked(withoutMetadata(wanted), places)];
  if (executed !== expected) {
    return { code: "other", byte: firstDifference(executed, expected), bytes: [size(found), size(wanted)] };
  }
  const differences = immutables.flatMap(({ name, places }) => {
    const place = places.find((start) => word(found, start) !== word(wanted, start));
    return place === undefined ? [] : [{ name, found: word(found, place), wanted: word(wanted, place) }];
  });
  const isSame = masked(found, places) === masked(wanted, places);
  return { code: isSame ? "same" : "other metadata", immutables: differences };
}

/** The compiler ends code with its metadata in CBOR and two bytes that tell how long that is. */
function withoutMetadata(code: Hex): Hex {
  const bytes = size(code);
  if (bytes < 2) return code;
  const metadata = hexToNumber(sliceHex(code, bytes - 2)) + 2;
  return metadata < bytes ? sliceHex(code, 0, bytes - metadata) : code;
}

function masked(code: Hex, places: readonly number[]): Hex {
  let digits = code.slice(2);
  for (const start of places) {
    if (2 * start + 64 <= digits.length) {
      digits = `${digits.slice(0, 2 * start)}${"0".repeat(64)}${digits.slice(2 * start + 64)}`;
    }
  }
  return `0x${digits}`;
}

function word(code: Hex, start: number): Hex {
  return sliceHex(concat([code, `0x${"00".repeat(32)}`]), start, start + 32);
}

function firstDifference(a: Hex, b: Hex): number {
  const [x, y] = [a.slice(2), b.slice(2)];
  const digit = [...x].findIndex((value, index) => value !== y[index]);
  return Math.floor((digit < 0 ? x.length : digit) / 2);
}
