import type { Graph, Value } from "../ir.ts";
import { div } from "./div.ts";
import { mul } from "./mul.ts";

/** y = sqrt(x). dx = dy / (2 y). */
export function sqrt(graph: Graph, x: Value): Value {
  const y = graph.emit("Sqrt", [x], { shape: x.shape });
  return graph.derive(y, [x, (dy) => div(graph, mul(graph, dy, graph.scalar(0.5, x)), y)]);
}
