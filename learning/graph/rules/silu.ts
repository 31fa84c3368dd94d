import type { Graph, Value } from "../ir.ts";
import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

/** y = x * s, s = sigmoid(x) (Elfwing et al. 2017). dx = dy * (s + y - y * s). */
export function silu(graph: Graph, x: Value): Value {
  const s = graph.emit("Sigmoid", [x], { shape: x.shape });
  const y = graph.emit("Mul", [x, s], { shape: x.shape });
  return graph.derive(y, [x, (dy) => mul(graph, dy, sub(graph, add(graph, s, y), mul(graph, y, s)))]);
}
