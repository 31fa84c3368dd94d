import type { Graph, Value } from "../ir.ts";
import { neg } from "./neg.ts";

/** By how much heads are turned: cosines and sines [places, headSize / 2]; and where each token stands, int64 [batch, length], or [1], the place of a row's first. */
export type RotaryTables = { cos: Value; sin: Value; places: Value };

/**
 * Rotary position embedding (Su et al. 2021) of x [batch, length, heads * headSize], as the runtime's one operator: of each head (x1, x2),
 * y = (x1 cos - x2 sin, x2 cos + x1 sin). dx = dy turned back, by the opposite sines.
 */
export function rotaryEmbedding(graph: Graph, x: Value, { cos, sin, places }: RotaryTables): Value {
  const y = graph.emit("RotaryEmbedding", [x, places, cos, sin], { shape: x.shape });
  return graph.derive(y, [x, (dy) => rotaryEmbedding(graph, dy, { cos, sin: neg(graph, sin), places })]);
}
