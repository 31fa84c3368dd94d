import { FlockError } from "../../../protocol/errors.ts";
import type { Graph, Value } from "../ir.ts";
import { sumTo } from "./sumTo.ts";

export type GemmOptions = {
  transA?: boolean | undefined;
  transB?: boolean | undefined;
  alpha?: number | undefined;
  /** C: broadcast to the output. */
  addend?: Value | undefined;
};

/**
 * Y = alpha * op(A) op(B) + C for matrices, op(X) = X or Xᵀ.
 *
 * d op(A) = alpha * dY op(B)ᵀ and d op(B) = alpha * op(A)ᵀ dY, each transposed once more if the operand is; dC = dY.
 */
export function gemm(graph: Graph, a: Value, b: Value, options: GemmOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1, addend } = options;
  const [m, k] = oriented(a, transA);
  const [k2, n] = oriented(b, transB);
  if (k !== k2) throw new FlockError(`The matrices [${a.shape}] and [${b.shape}] cannot be multiplied.`);
  const inputs = addend === undefined ? [a, b] : [a, b, addend];
  const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } };
  const y = graph.emit("Gemm", inputs, { shape: [m, n], attributes });
  return graph.derive(
    y,
    [
      a,
      (dy) =>
        transA
          ? gemm(graph, b, dy, { transA: transB, transB: true, alpha })
          : gemm(graph, dy, b, { transB: !transB, alpha }),
    ],
    [
      b,
      (dy) =>
        transB
          ? gemm(graph, dy, a, { transA: true, transB: transA, alpha })
          : gemm(graph, a, dy, { transA: !transA, alpha }),
    ],
    ...(addend === undefined ? [] : [[addend, (dy: Value) => sumTo(graph, dy, addend.shape)] as const]),
  );
}

function oriented({ name, shape }: Value, transposed: boolean): [number, number] {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined) throw new FlockError(`${name} is no matrix.`);
  return transposed ? [columns, rows] : [rows, columns];
}
