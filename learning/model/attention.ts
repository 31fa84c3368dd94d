import type { Graph, Value } from "../graph/ir.ts";
import { add } from "../graph/rules/add.ts";
import { expand } from "../graph/rules/expand.ts";
import { matmul } from "../graph/rules/matmul.ts";
import { reshape } from "../graph/rules/reshape.ts";
import { type RotaryTables, rotaryEmbedding } from "../graph/rules/rotaryEmbedding.ts";
import { softmax } from "../graph/rules/softmax.ts";
import { transpose } from "../graph/rules/transpose.ts";
import type { ModelConfig } from "./config.ts";

/** Queries [batch, heads, queries, headSize]; keys and values [batch, kvHeads, positions, headSize]. */
export type Heads = { q: Value; k: Value; v: Value };

/** The heads of projections [batch * length, heads * headSize]: queries and keys turned to their positions. */
export function splitHeads(
  graph: Graph,
  { heads, kvHeads, headSize }: ModelConfig,
  { batch, length, tables }: { batch: number; length: number; tables: RotaryTables },
  { q, k, v }: Heads,
): Heads {
  const turned = (x: Value, count: number) =>
    rotaryEmbedding(graph, reshape(graph, x, [batch, length, count * headSize]), tables);
  const split = (x: Value, count: number) =>
    transpose(graph, reshape(graph, x, [batch, length, count, headSize]), [0, 2, 1, 3]);
  return {
    q: split(turned(q, heads), heads),
    k: split(turned(k, kvHeads), kvHeads),
    v: split(v, kvHeads),
  };
}

/** softmax(q kᵀ / sqrt(headSize) + mask) v, head by head: [batch, queries, heads, headSize]. Mask [.., .., queries, positions]. */
export function attention(
  graph: Graph,
  { heads, kvHeads, headSize }: ModelConfig,
  { q, k, v, mask }: Heads & { mask: Value },
): Value {
  const [batch, , positions] = k.shape as [number, number, number];
  /** Each key-value head serves heads / kvHeads query heads. */
  const share = (x: Value): Value => {
    if (kvHeads === heads) return x;
    const apart = reshape(graph, x, [batch, kvHeads, 1, positions, headSize]);
    const repeated = expand(graph, apart, [batch, kvHeads, heads / kvHeads, positions, headSize]);
    return reshape(graph, repeated, [batch, heads, positions, headSize]);
  };
  const scores = add(graph, matmul(graph, q, share(k), { transB: true, alpha: headSize ** -0.5 }), mask);
  return transpose(graph, matmul(graph, softmax(graph, scores), share(v)), [0, 2, 1, 3]);
}

/** [1, 1, length, length]: 0 where a position may look, a number that softmax turns into exactly 0 where it may not. */
export function causalMask(graph: Graph, length: number): Value {
  const shape = [1, 1, length, length];
  if (length <= 512) {
    const numbers = Array.from({ length: length * length }, (_, k) => (k % length > Math.floor(k / length) ? -1e9 : 0));
    return graph.constant("float32", shape, numbers);
  }
  // A model holds no gigabytes of zeros: a long mask is made where it is used.
  const closed = graph.emit("Expand", [graph.constant("float32", [1], [-1e9]), graph.integers(shape)], { shape });
  return graph.emit("Trilu", [closed, graph.constant("int64", [], [1])], { shape, attributes: { upper: 1 } });
}
