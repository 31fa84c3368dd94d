import { FlockError } from "../../../protocol/errors.ts";
import type { Graph, Value } from "../ir.ts";
import { sameShape } from "../shapes.ts";
import { transpose } from "./transpose.ts";

/** Y = A B for stacks of matrices [..., m, k] and [..., k, n] with equal leading axes. dA = dY Bᵀ, dB = Aᵀ dY. */
export function matmul(graph: Graph, a: Value, b: Value): Value {
  const rank = a.shape.length;
  if (rank < 2 || !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2)) || a.shape[rank - 1] !== b.shape[rank - 2]) {
    throw new FlockError(`The matrices [${a.shape}] and [${b.shape}] cannot be multiplied.`);
  }
  const y = graph.emit("MatMul", [a, b], { shape: [...a.shape.slice(0, -1), b.shape[rank - 1] as number] });
  return graph.derive(
    y,
    [a, (dy) => matmul(graph, dy, transposeLast(graph, b))],
    [b, (dy) => matmul(graph, transposeLast(graph, a), dy)],
  );
}

/** Swaps the last two axes. */
export function transposeLast(graph: Graph, x: Value): Value {
  const rank = x.shape.length;
  const order = x.shape.map((_, axis) => axis);
  return transpose(graph, x, [...order.slice(0, -2), rank - 1, rank - 2]);
}
