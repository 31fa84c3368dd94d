import { FlockError } from "../../protocol/errors.ts";
import { DTYPE_BYTES, type Graph, type Node, type Value } from "./ir.ts";
import { sizeOf } from "./shapes.ts";

type Count = (node: Node) => number;

const ofOutput: Count = ({ outputs }) => sizeOf((outputs[0] as Value).shape);
const ofInput: Count = ({ inputs }) => sizeOf((inputs[0] as Value).shape);
const times =
  (factor: number, count: Count): Count =>
  (node) =>
    factor * count(node);
const none: Count = () => 0;

/**
 * Floating-point operations of each operator: a multiplication and an addition are two, a transcendental function is one. What only moves
 * numbers costs none.
 */
const FLOPS: Readonly<Record<string, Count>> = {
  Gemm: (node) => {
    const [a, , addend] = node.inputs;
    const inner = (a as Value).shape[node.attributes.transA === 1 ? 0 : 1] as number;
    return (2 * inner + (addend === undefined ? 0 : 1)) * ofOutput(node);
  },
  // And what decoding the matrix takes: subtract, scale.
  MatMulNBits: (node) => 2 * (node.attributes.K as number) * (ofOutput(node) + (node.attributes.N as number)),
  DequantizeLinear: times(2, ofOutput),
  FusedMatMul: (node) => {
    const inner = (node.inputs[0] as Value).shape.at(node.attributes.transA === 1 ? -2 : -1) as number;
    return 2 * inner * ofOutput(node);
  },
  // Two products and their sum.
  RotaryEmbedding: times(3, ofOutput),
  // Square, add, scale, weigh.
  SimplifiedLayerNormalization: times(4, ofInput),
  // Compare, subtract, exponentiate, add, divide (or subtract the logarithm).
  Softmax: times(5, ofInput),
  LogSoftmax: times(5, ofInput),
  ...Object.fromEntries(
    ["Add", "Sub", "Mul", "Div", "Neg", "Sqrt", "Exp", "Sigmoid", "Min", "Clip", "Equal"].map((op) => [op, ofOutput]),
  ),
  ...Object.fromEntries(["ReduceSum", "ReduceMean", "ReduceMax", "ArgMax"].map((op) => [op, ofInput])),
  // Compare, subtract, exponentiate, add.
  ReduceLogSumExp: times(4, ofInput),
  ScatterElements: ({ inputs }) => sizeOf((inputs[1] as Value).shape),
  ...Object.fromEntries(
    [
      ...["Reshape", "Transpose", "Concat", "Slice", "Split", "Pad", "Expand"],
      ...["Gather", "GatherElements", "Cast", "Trilu", "Where"],
    ].map((op) => [op, none]),
  ),
};

/** Floating-point operations of running a graph once. */
export function flopsOf(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => {
    const count = FLOPS[node.op];
    if (count === undefined) throw new FlockError(`Nobody has counted the operations of ${node.op}.`);
    return sum + count(node);
  }, 0);
}

/** Bytes that a graph holds while it runs. */
export type GraphMemory = {
  /** Of the tensors that stay in files, as they are stored. */
  external: number;
  /** Of those that are multiplied from the right, as float32 or in 4 bits, once for each way in which they are: the runtime keeps a copy in the order of its kernels. */
  packed: number;
  /** Of the 16-bit ones, widened to float32 when the graph is loaded. */
  widened: number;
  /** Of the numbers written into the graph. */
  constants: number;
  /** Of what is computed, at the moment when most of it is still needed, in the order of the graph. */
  activations: number;
};

/** Bytes that running a graph takes; `outputs` are what it gives. Where the weights are `mapped`, they are widened in each run and not copied. */
export function memoryOf(
  graph: Graph,
  outputs: readonly Value[],
  { mapped = false }: { mapped?: boolean | undefined } = {},
): GraphMemory {
  const frozen = new Set<Value>(graph.externals.map(({ value }) => value));
  let widened = 0;
  for (const { op, inputs, outputs: made } of graph.nodes) {
    if (mapped || op !== "Cast" || !frozen.has(inputs[0] as Value)) continue;
    frozen.add(made[0] as Value);
    widened += bytesOf(made[0] as Value);
  }
  return {
    // What is there as uint4 is the second view of a matrix in 4 bits.
    external: sum(graph.externals.map(({ value, bytes }) => (value.dtype === "uint4" ? 0 : bytes))),
    packed: mapped ? 0 : packedOf(graph, frozen),
    widened,
    constants: sum(graph.constants.map(({ data }) => data.length)),
    activations: highestWater(graph, outputs, frozen),
  };
}

function packedOf(graph: Graph, frozen: ReadonlySet<Value>): number {
  const packed = new Map<string, number>();
  for (const { op, inputs, attributes } of graph.nodes) {
    const right = inputs[1];
    if (!["Gemm", "FusedMatMul", "MatMulNBits"].includes(op) || right === undefined || !frozen.has(right)) continue;
    packed.set(`${right.name} ${attributes.transB ?? 0}`, bytesOf(right));
  }
  return sum(packed.values());
}

/** Walks through the graph, adding what each operator makes and taking away what nobody after it reads. A reshaped tensor is the same memory. */
function highestWater(graph: Graph, outputs: readonly Value[], frozen: ReadonlySet<Value>): number {
  const home = new Map<Value, Value>();
  const homeOf = (value: Value) => home.get(value) ?? value;
  for (const { op, inputs, outputs: made } of graph.nodes) {
    if (op === "Reshape") home.set(made[0] as Value, homeOf(inputs[0] as Value));
  }
  const lastUse = new Map<Value, number>();
  for (const [i, { inputs }] of graph.nodes.entries()) for (const input of inputs) lastUse.set(homeOf(input), i);
  for (const output of outputs) lastUse.set(homeOf(output), graph.nodes.length);

  const alive = new Map<number, Value[]>(); // by the operator after which they may go
  const held = new Set<Value>();
  let now = 0;
  let most = 0;
  for (const [i, { outputs: made }] of graph.nodes.entries()) {
    for (const value of made) {
      if (homeOf(value) !== value || frozen.has(value)) continue;
      held.add(value);
      now += bytesOf(value);
      const last = lastUse.get(value) ?? i;
      alive.set(last, [...(alive.get(last) ?? []), value]);
    }
    most = Math.max(most, now);
    for (const value of alive.get(i) ?? []) if (held.delete(value)) now -= bytesOf(value);
  }
  return most;
}

function bytesOf({ dtype, shape }: Value): number {
  return DTYPE_BYTES[dtype] * sizeOf(shape);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
