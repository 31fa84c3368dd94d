import type { Graph, Value } from "../ir.ts";
import { gemm } from "./gemm.ts";

/**
 * Y [n, d] = the rows of a table [v, d] named by indices [n] (int32). dTable = Oᵀ dY, O [n, v] the indices one-hot: a matrix product, because
 * adding rows up in place has no fixed order of additions.
 */
export function gather(graph: Graph, table: Value, indices: Value): Value {
  const [v, d] = table.shape as [number, number];
  const [n] = indices.shape as [number];
  const y = graph.emit("Gather", [table, indices], { shape: [n, d], attributes: { axis: 0 } });
  return graph.derive(y, [
    table,
    (dy) => {
      const column = graph.emit("Reshape", [indices, graph.integers([n, 1])], { shape: [n, 1] });
      const range = graph.constant(
        "int32",
        [1, v],
        Array.from({ length: v }, (_, i) => i),
      );
      const equal = graph.emit("Equal", [column, range], { dtype: "bool", shape: [n, v] });
      const oneHot = graph.emit("Cast", [equal], {
        dtype: dy.dtype,
        shape: [n, v],
        attributes: { to: { dtype: dy.dtype } },
      });
      return gemm(graph, oneHot, dy, { transA: true });
    },
  ]);
}
