import { type Node, rangeOf, type Source, typeOf } from "../solidity/syntax.ts";
import type { Change } from "./change.ts";

/** Changes of a number (one more, one less, 0) or of `true` and `false`. Other literals stay. */
export function literalChanges(source: Source, node: Node, above: readonly Node[]): Change[] {
  const [start, end] = rangeOf(node);
  const written = source.textOf(node);
  if (node.kind === "bool") {
    return [{ operator: "literal", start, end, text: written === "true" ? "false" : "true" }];
  }
  const isLength = above.some(({ nodeType }) => nodeType === "ArrayTypeName");
  if (node.kind !== "number" || typeOf(node) === "address" || isLength) return [];
  const [digits = "", unit] = written.split(/\s+/);
  return othersOf(digits).map((text) => ({
    operator: "literal",
    start,
    end,
    text: unit === undefined ? text : `${text} ${unit}`,
  }));
}

/** The numbers that a written integer becomes; none if it is no integer. */
export function othersOf(digits: string): string[] {
  const value = integerOf(digits.replaceAll("_", ""));
  if (value === undefined) return [];
  const others = new Set([value + 1n, ...(value > 0n ? [value - 1n, 0n] : [])]);
  const write = (other: bigint) => (digits.startsWith("0x") ? `0x${other.toString(16)}` : String(other));
  return [...others].map(write);
}

function integerOf(digits: string): bigint | undefined {
  const [, mantissa, exponent] = /^(\d+)[eE](\d+)$/.exec(digits) ?? [];
  if (mantissa !== undefined && exponent !== undefined) return BigInt(mantissa) * 10n ** BigInt(exponent);
  return /^(\d+|0x[0-9a-fA-F]+)$/.test(digits) ? BigInt(digits) : undefined;
}
