import type { Graph, Value } from "../ir.ts";
import { broadcast } from "../shapes.ts";
import { neg } from "./neg.ts";
import { sumTo } from "./sumTo.ts";

/** y = a - b, broadcast. da = dy, db = -dy. */
export function sub(graph: Graph, a: Value, b: Value): Value {
  const y = graph.emit("Sub", [a, b], { shape: broadcast(a.shape, b.shape) });
  return graph.derive(y, [a, (dy) => sumTo(graph, dy, a.shape)], [b, (dy) => sumTo(graph, neg(graph, dy), b.shape)]);
}
