import { FlockError } from "../../../protocol/errors.ts";
import type { Graph, Value } from "../ir.ts";
import { type Shape, sizeOf } from "../shapes.ts";

/** The same elements in the same order under another shape. dx = dy under the old one. */
export function reshape(graph: Graph, x: Value, shape: Shape): Value {
  if (sizeOf(shape) !== sizeOf(x.shape)) throw new FlockError(`[${x.shape}] cannot be read as [${shape}].`);
  const y = graph.emit("Reshape", [x, graph.integers(shape)], { shape });
  return graph.derive(y, [x, (dy) => reshape(graph, dy, x.shape)]);
}
