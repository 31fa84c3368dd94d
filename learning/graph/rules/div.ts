import type { Graph, Value } from "../ir.ts";
import { broadcast } from "../shapes.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { sumTo } from "./sumTo.ts";

/** y = a / b, elementwise and broadcast. da = dy / b, db = -(dy / b) * y. */
export function div(graph: Graph, a: Value, b: Value): Value {
  const y = graph.emit("Div", [a, b], { shape: broadcast(a.shape, b.shape) });
  return graph.derive(
    y,
    [a, (dy) => sumTo(graph, div(graph, dy, b), a.shape)],
    [b, (dy) => sumTo(graph, neg(graph, mul(graph, div(graph, dy, b), y)), b.shape)],
  );
}
