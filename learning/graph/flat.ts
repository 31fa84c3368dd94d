import type { Graph, Value } from "./ir.ts";
import { concat } from "./rules/concat.ts";
import { reshape } from "./rules/reshape.ts";
import { type Shape, sizeOf } from "./shapes.ts";

/** Cuts a vector into tensors of the given shapes, one after the other, and tracks them: the parameters of a model live in one vector. */
export function splitFlat(graph: Graph, flat: Value, shapes: readonly Shape[]): Value[] {
  const sizes = shapes.map(sizeOf);
  const outputs = sizes.map((size) => ({ shape: [size] }));
  const parts = graph.emitAll("Split", [flat, graph.integers(sizes)], outputs, { axis: 0 });
  return parts.map((part, i) => {
    const tensor = reshape(graph, part, shapes[i] as Shape);
    graph.track(tensor);
    return tensor;
  });
}

/** The inverse: one vector of all tensors' elements. */
export function joinFlat(graph: Graph, tensors: readonly Value[]): Value {
  const [first, ...rest] = tensors.map((tensor) => reshape(graph, tensor, [sizeOf(tensor.shape)]));
  return concat(graph, [first as Value, ...rest], 0);
}
