import type { Derivation, Graph, Value } from "../ir.ts";
import { slice } from "./slice.ts";

/** y = the xs one after the other along an axis. Each dx = its piece of dy. */
export function concat(graph: Graph, xs: readonly [Value, ...Value[]], axis: number): Value {
  let position = 0;
  const derivations = xs.map((x): Derivation => {
    const begin = position;
    const end = begin + (x.shape[axis] as number);
    position = end;
    return [x, (dy) => slice(graph, dy, axis, begin, end)];
  });
  const shape = xs[0].shape.map((n, i) => (i === axis ? position : n));
  return graph.derive(graph.emit("Concat", xs, { shape, attributes: { axis } }), ...derivations);
}
