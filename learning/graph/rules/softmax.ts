import type { Graph, Value } from "../ir.ts";
import { mul } from "./mul.ts";
import { reduceSum } from "./reduceSum.ts";
import { sub } from "./sub.ts";

/** y = exp(x) / sum(exp(x)) over the last axis. dx = y * dy - y * sum(y * dy). */
export function softmax(graph: Graph, x: Value): Value {
  const y = graph.emit("Softmax", [x], { shape: x.shape, attributes: { axis: -1 } });
  return graph.derive(y, [
    x,
    (dy) => {
      const weighted = mul(graph, dy, y);
      return sub(graph, weighted, mul(graph, y, reduceSum(graph, weighted, [x.shape.length - 1])));
    },
  ]);
}
