import type { Graph, Value } from "../ir.ts";
import { broadcast } from "../shapes.ts";
import { sumTo } from "./sumTo.ts";

/** y = a + b, broadcast. da = dy, db = dy. */
export function add(graph: Graph, a: Value, b: Value): Value {
  const y = graph.emit("Add", [a, b], { shape: broadcast(a.shape, b.shape) });
  return graph.derive(y, [a, (dy) => sumTo(graph, dy, a.shape)], [b, (dy) => sumTo(graph, dy, b.shape)]);
}
