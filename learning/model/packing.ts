import type { Graph, Value } from "../graph/ir.ts";
import { cast } from "../graph/rules/cast.ts";
import { reshape } from "../graph/rules/reshape.ts";
import type { RotaryTables } from "../graph/rules/rotaryEmbedding.ts";
import { type Batch, judgedTokens, type Sequence, SHORTEST } from "./batches.ts";
import type { ModelConfig } from "./config.ts";
import { turns } from "./rotary.ts";

/** Which sequences share each row of a batch, by their indices; `rows` rows of `length` positions, the last of which may be empty. */
export type Layout = { rows: number; length: number; shared: number[][] };

/** A batch whose rows hold several sequences, one after the other. */
export type PackedBatch = Batch & {
  /** Place of each token in its own sequence, int32 [rows * length]. */
  positions: Int32Array;
  /** Which sequence of its row each token belongs to, counted from 1, int32 [rows * length]; 0 is padding. */
  segments: Int32Array;
};

/** Attention's cost grows with the square of a row's length: no row is longer than this only to hold more sequences. */
const LONGEST_SHARED = 256;

/**
 * The layout of fewest positions among rows once, twice and four times as long as `shortest`, which holds the longest sequence. Longest first, each
 * sequence goes into the first row with room (Johnson 1973). The number of rows is rounded up to 2^k or 3 * 2^k, so that there are few graphs, but never
 * beyond one row a sequence.
 */
export function packedLayout(sequences: readonly Sequence[], shortest: number): Layout {
  const layouts = rowLengths(shortest).map((length): Layout => {
    const shared = firstFit(sequences, length);
    return { rows: Math.min(sequences.length, rounded(shared.length)), length, shared };
  });
  return layouts.reduce((best, next) => (next.rows * next.length < best.rows * best.length ? next : best));
}

function rowLengths(shortest: number): number[] {
  return [1, 2, 4].map((times) => times * shortest).filter((n) => n === shortest || n <= LONGEST_SHARED);
}

/**
 * The largest rows and lengths that `packedLayout` may choose for `batch` sequences of which the longest is padded to `longest` positions: every other choice has
 * no more positions and no more pairs of positions in a row than one of these.
 */
export function worstLayouts(batch: number, longest: number): Pick<Layout, "rows" | "length">[] {
  const padded = new Set([longest]);
  for (let length = SHORTEST; length < longest; length *= 2) padded.add(length);
  const all = [...padded].flatMap((shortest) =>
    rowLengths(shortest).flatMap((length) => {
      if (length === shortest) return [{ rows: batch, length }];
      // Longer rows are taken only if there are fewer positions than with a row a sequence.
      const rows = roundedDown(Math.ceil((batch * shortest) / length) - 1);
      return rows === 0 ? [] : [{ rows, length }];
    }),
  );
  type Shape = (typeof all)[number];
  const covers = (a: Shape, b: Shape) =>
    a.rows * a.length >= b.rows * b.length && a.rows * a.length ** 2 >= b.rows * b.length ** 2;
  return all.filter((shape, i) => !all.some((other, j) => covers(other, shape) && (!covers(shape, other) || j < i)));
}

function firstFit(sequences: readonly Sequence[], length: number): number[][] {
  const read = (i: number) => (sequences[i] as Sequence).tokens.length - 1;
  const byLength = [...sequences.keys()].sort((a, b) => read(b) - read(a) || a - b);
  const rows: { room: number; shared: number[] }[] = [];
  for (const i of byLength) {
    const row = rows.find(({ room }) => room >= read(i)) ?? { room: length, shared: [] };
    if (row.shared.length === 0) rows.push(row);
    row.room -= read(i);
    row.shared.push(i);
  }
  return rows.map(({ shared }) => shared);
}

function rounded(rows: number): number {
  let power = 1;
  while (2 * power <= rows) power *= 2;
  return [power, 1.5 * power, 2 * power].find((n) => Number.isInteger(n) && n >= rows) as number;
}

function roundedDown(rows: number): number {
  let power = 1;
  while (2 * power <= rows) power *= 2;
  return rows < 1 ? 0 : power >= 2 && 1.5 * power <= rows ? 1.5 * power : power;
}

/** Lays sequences out. The weights of `total` completion tokens sum to 1, by default those of the batch. */
export function layOut(
  sequences: readonly Sequence[],
  { rows, length, shared }: Layout,
  total: number = judgedTokens(sequences),
): PackedBatch {
  const size = rows * length;
  const tokens = new Int32Array(size);
  const labels = new Int32Array(size);
  const positions = new Int32Array(size);
  const segments = new Int32Array(size);
  const weights = new Float32Array(size);
  for (const [row, members] of shared.entries()) {
    let start = row * length;
    for (const [segment, i] of members.entries()) {
      const sequence = sequences[i] as Sequence;
      const end = start + sequence.tokens.length - 1;
      tokens.set(sequence.tokens.subarray(0, -1), start);
      labels.set(sequence.tokens.subarray(1), start);
      weights.fill(1 / total, start + sequence.promptLength - 1, end);
      for (let at = start; at < end; at++) positions[at] = at - start;
      segments.fill(segment + 1, start, end);
      start = end;
    }
  }
  return { tokens, labels, weights, positions, segments };
}

/** The rotary tables of tokens that stand at `positions` [rows * length]. */
export function packedTables(
  graph: Graph,
  config: ModelConfig,
  { rows, length, positions }: { rows: number; length: number; positions: Value },
): RotaryTables {
  const places = reshape(graph, cast(graph, positions, "int64"), [rows, length]);
  return { ...turns(graph, length, config), places };
}

/** [rows, 1, length, length]: `causal` [1, 1, length, length] where both tokens are of one sequence by `segments` [rows * length], closed elsewhere. */
export function packedMask(
  graph: Graph,
  causal: Value,
  { rows, length, segments }: { rows: number; length: number; segments: Value },
): Value {
  const shape = [rows, 1, length, length];
  const facing = (...apart: number[]) => graph.emit("Reshape", [segments, graph.integers(apart)], { shape: apart });
  const same = graph.emit("Equal", [facing(rows, 1, length, 1), facing(rows, 1, 1, length)], { dtype: "bool", shape });
  return graph.emit("Where", [same, causal, graph.scalar(-1e9, causal)], { dtype: causal.dtype, shape });
}
