import type { Graph, Value } from "../ir.ts";
import { broadcast } from "../shapes.ts";
import { sumTo } from "./sumTo.ts";

/** y = a * b, elementwise and broadcast. da = dy * b, db = dy * a. */
export function mul(graph: Graph, a: Value, b: Value): Value {
  const y = graph.emit("Mul", [a, b], { shape: broadcast(a.shape, b.shape) });
  return graph.derive(
    y,
    [a, (dy) => sumTo(graph, mul(graph, dy, b), a.shape)],
    [b, (dy) => sumTo(graph, mul(graph, dy, a), b.shape)],
  );
}
