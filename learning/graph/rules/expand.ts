import type { Graph, Value } from "../ir.ts";
import type { Shape } from "../shapes.ts";
import { sumTo } from "./sumTo.ts";

/** y = x stretched to a shape. dx = dy summed over what was stretched. */
export function expand(graph: Graph, x: Value, shape: Shape): Value {
  const y = graph.emit("Expand", [x, graph.integers(shape)], { shape });
  return graph.derive(y, [x, (dy) => sumTo(graph, dy, x.shape)]);
}
