import type { Graph, Value } from "../ir.ts";
import { reduced } from "../shapes.ts";
import { expand } from "./expand.ts";

/** y = the sum over the axes, which stay with length 1. dx = dy stretched. */
export function reduceSum(graph: Graph, x: Value, axes: readonly number[]): Value {
  const shape = reduced(x.shape, axes);
  const y = graph.emit("ReduceSum", [x, graph.integers(axes)], { shape, attributes: { keepdims: 1 } });
  return graph.derive(y, [x, (dy) => expand(graph, dy, x.shape)]);
}
