import { FlockError } from "../../../protocol/errors.ts";
import type { Graph, Value } from "../ir.ts";
import { sameShape } from "../shapes.ts";

export type MatmulOptions = {
  transA?: boolean | undefined;
  transB?: boolean | undefined;
  alpha?: number | undefined;
};

/**
 * Y = alpha * op(A) op(B) for stacks of matrices [..., m, k] and [..., k, n] with equal leading axes, op(X) = X or X with its last two axes swapped: the
 * runtime's own operator.
 *
 * d op(A) = alpha * dY op(B)ᵀ and d op(B) = alpha * op(A)ᵀ dY, each transposed once more if the operand is.
 */
export function matmul(graph: Graph, a: Value, b: Value, options: MatmulOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  const [m, k] = oriented(a, transA);
  const [k2, n] = oriented(b, transB);
  const leading = a.shape.slice(0, -2);
  if (!sameShape(leading, b.shape.slice(0, -2)) || k !== k2) {
    throw new FlockError(`The matrices [${a.shape}] and [${b.shape}] cannot be multiplied.`);
  }
  const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } };
  const y = graph.emit("FusedMatMul", [a, b], { shape: [...leading, m, n], attributes });
  return graph.derive(
    y,
    [
      a,
      (dy) =>
        transA
          ? matmul(graph, b, dy, { transA: transB, transB: true, alpha })
          : matmul(graph, dy, b, { transB: !transB, alpha }),
    ],
    [
      b,
      (dy) =>
        transB
          ? matmul(graph, dy, a, { transA: true, transB: transA, alpha })
          : matmul(graph, a, dy, { transA: !transA, alpha }),
    ],
  );
}

/** The last two axes. */
function oriented({ name, shape }: Value, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2);
  if (rows === undefined || columns === undefined) throw new FlockError(`${name} is no matrix.`);
  return transposed ? [columns, rows] : [rows, columns];
}
