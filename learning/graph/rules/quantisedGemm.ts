import { FlockError } from "../../../protocol/errors.ts";
import { BLOCK, ZERO_CODE } from "../fourBit.ts";
import type { Graph, Value } from "../ir.ts";
import { sizeOf } from "../shapes.ts";
import { add } from "./add.ts";
import { gemm } from "./gemm.ts";
import { mul } from "./mul.ts";
import { slice } from "./slice.ts";

/** A frozen matrix W [rows, inputs] in codes of 4 bits: W = (code - 8) * scale, with one scale for each 32 numbers of a row. */
export type QuantisedMatrix = {
  /** uint8 [rows, inputs / 32, 16]: two codes a byte, the first in its low half. */
  bytes: Value;
  /** The same bytes as uint4 [rows, inputs]; asked for only where a gradient is computed. */
  codes: () => Value;
  /** float32 [rows, inputs / 32]. */
  scales: Value;
};

/**
 * Y = X Wᵀ + C with W in 4 bits, which the runtime's own operator decodes a piece at a time. dX = dY W; W gets no gradient, for it is frozen.
 *
 * Backwards W is decoded as a whole, by an operator that reads nothing but frozen numbers: the runtime would run it for all matrices of a model before
 * anything else, and hold them all. So its scales are multiplied by a 1 that is made from dY.
 */
export function quantisedGemm(
  graph: Graph,
  x: Value,
  weight: QuantisedMatrix,
  { addend }: { addend?: Value | undefined } = {},
): Value {
  const [rows, blocks] = weight.scales.shape as [number, number];
  const inputs = blocks * BLOCK;
  const [m, k] = x.shape as [number, number];
  if (x.shape.length !== 2 || k !== inputs || sizeOf(weight.bytes.shape) !== (rows * inputs) / 2) {
    throw new FlockError(`[${x.shape}] cannot be multiplied by a matrix of [${rows},${inputs}] in 4 bits.`);
  }
  const product = graph.emit("MatMulNBits", [x, weight.bytes, weight.scales], {
    shape: [m, rows],
    attributes: { K: inputs, N: rows, bits: 4, block_size: BLOCK },
  });
  const y = graph.derive(product, [x, (dy) => gemm(graph, dy, decoded(graph, weight, dy))]);
  return addend === undefined ? y : add(graph, y, addend);
}

/** W as float32, not before `after` is there. */
function decoded(graph: Graph, { codes, scales }: QuantisedMatrix, after: Value): Value {
  const corner = slice(graph, slice(graph, after, 0, 0, 1), 1, 0, 1);
  const bound = graph.scalar(1, after);
  const one = graph.emit("Clip", [corner, bound, bound], { shape: corner.shape });
  const W = codes();
  return graph.emit("DequantizeLinear", [W, mul(graph, scales, one), zeros(graph, scales.shape)], {
    ...{ dtype: "float32", shape: W.shape },
    attributes: { axis: 1, block_size: BLOCK },
  });
}

const shared = new WeakMap<Graph, Map<string, Value>>();

/** Zero points, one constant for all matrices of a shape. */
function zeros(graph: Graph, shape: readonly number[]): Value {
  const known = shared.get(graph) ?? new Map<string, Value>();
  shared.set(graph, known);
  const value =
    known.get(String(shape)) ?? graph.constant("uint4", shape, new Uint8Array(sizeOf(shape)).fill(ZERO_CODE));
  known.set(String(shape), value);
  return value;
}
