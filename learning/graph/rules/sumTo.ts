import type { Graph, Value } from "../ir.ts";
import { type Shape, sameShape } from "../shapes.ts";
import { reduceSum } from "./reduceSum.ts";
import { reshape } from "./reshape.ts";

/** Undoes broadcasting: sums a gradient over the axes along which an operand of the given shape was stretched. */
export function sumTo(graph: Graph, gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((n, axis) =>
    axis < lead || (shape[axis - lead] === 1 && n !== 1) ? [axis] : [],
  );
  const sum = axes.length === 0 ? gradient : reduceSum(graph, gradient, axes);
  return sameShape(sum.shape, shape) ? sum : reshape(graph, sum, shape);
}
