import type { Graph, Value } from "../ir.ts";

/** y = x[..., begin:end, ...] along one axis. dx = dy with zeros around it. */
export function slice(graph: Graph, x: Value, axis: number, begin: number, end: number): Value {
  const shape = x.shape.map((n, i) => (i === axis ? end - begin : n));
  const y = graph.emit("Slice", [x, graph.integers([begin]), graph.integers([end]), graph.integers([axis])], { shape });
  return graph.derive(y, [
    x,
    (dy) => {
      const before = x.shape.map((_, i) => (i === axis ? begin : 0));
      const after = x.shape.map((n, i) => (i === axis ? n - end : 0));
      return graph.emit("Pad", [dy, graph.integers([...before, ...after])], { shape: x.shape });
    },
  ]);
}
