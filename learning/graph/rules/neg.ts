import type { Graph, Value } from "../ir.ts";

/** y = -x. dx = -dy. */
export function neg(graph: Graph, x: Value): Value {
  const y = graph.emit("Neg", [x], { shape: x.shape });
  return graph.derive(y, [x, (dy) => neg(graph, dy)]);
}
