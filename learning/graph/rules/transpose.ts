import type { Graph, Value } from "../ir.ts";
import { inverse } from "../shapes.ts";

/** y has x's axes in the given order. dx = dy in the inverse order. */
export function transpose(graph: Graph, x: Value, order: readonly number[]): Value {
  const shape = order.map((axis) => x.shape[axis] as number);
  const y = graph.emit("Transpose", [x], { shape, attributes: { perm: order } });
  return graph.derive(y, [x, (dy) => transpose(graph, dy, inverse(order))]);
}
