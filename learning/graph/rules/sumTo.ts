import type { Graph, Value } from "../ir.ts";
import { reduced, type Shape, sameShape } from "../shapes.ts";
import { reshape } from "./reshape.ts";

/**
 * Undoes broadcasting: sums a gradient over the axes along which an operand of the given shape was stretched. It has no
 * derivative of its own, for nobody differentiates twice.
 */
export function sumTo(graph: Graph, gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((n, axis) =>
    axis < lead || (shape[axis - lead] === 1 && n !== 1) ? [axis] : [],
  );
  const sum = axes.length === 0 ? gradient : summed(graph, gradient, axes);
  return sameShape(sum.shape, shape) ? sum : reshape(graph, sum, shape);
}

function summed(graph: Graph, x: Value, axes: readonly number[]): Value {
  const attributes = { keepdims: 1 };
  return graph.emit("ReduceSum", [x, graph.integers(axes)], { shape: reduced(x.shape, axes), attributes });
}
