import type { Dtype, Graph, Value } from "../ir.ts";

/** y = x in another element type, rounded where that is narrower. dx = dy in x's type. */
export function cast(graph: Graph, x: Value, dtype: Dtype): Value {
  const y = graph.emit("Cast", [x], { dtype, shape: x.shape, attributes: { to: { dtype } } });
  return graph.derive(y, [x, (dy) => cast(graph, dy, x.dtype)]);
}
