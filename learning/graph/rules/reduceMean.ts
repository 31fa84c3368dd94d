import type { Graph, Value } from "../ir.ts";
import { reduced, sizeOf } from "../shapes.ts";
import { expand } from "./expand.ts";
import { mul } from "./mul.ts";

/** y = the mean over the axes, which stay with length 1. dx = dy / n stretched, n elements going into one mean. */
export function reduceMean(graph: Graph, x: Value, axes: readonly number[]): Value {
  const shape = reduced(x.shape, axes);
  const share = sizeOf(shape) / sizeOf(x.shape);
  const y = graph.emit("ReduceMean", [x, graph.integers(axes)], { shape, attributes: { keepdims: 1 } });
  return graph.derive(y, [x, (dy) => expand(graph, mul(graph, dy, graph.scalar(share, x)), x.shape)]);
}
