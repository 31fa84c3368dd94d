import { create, toBinary } from "@bufbuild/protobuf";
import {
  type Attribute as AttributeProto,
  AttributeSchema,
  type Graph as GraphProto,
  GraphSchema,
  ModelSchema,
  type Node as NodeProto,
  NodeSchema,
  type Tensor as TensorProto,
  TensorSchema,
  type ValueInfo,
  ValueInfoSchema,
} from "./generated/onnx_pb.ts";
import type { Attribute, Constant, Dtype, External, Graph, Node, Value } from "./ir.ts";

/** Numbers of the element types in the ONNX format. */
const ELEMENT_TYPE: Record<Dtype, number> = {
  ...{ float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, bfloat16: 16, uint4: 21 },
};
/** Operators that are the runtime's own and not ONNX's. */
const OWN_OPERATORS: readonly string[] = ["FusedMatMul", "MatMulNBits", "RotaryEmbedding"];
const OWN_DOMAIN = "com.microsoft";
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;

/** The graph as an ONNX model that computes the outputs, which keep their names. */
export function serialize(graph: Graph, outputs: readonly Value[]): Uint8Array {
  return encodeModel(
    create(GraphSchema, {
      name: "graph",
      node: graph.nodes.map(encodeNode),
      initializer: encodeInitializers(graph),
      input: graph.inputs.map((value) => encodeValue(value)),
      output: outputs.map((value) => encodeValue(value)),
    }),
  );
}

export function encodeModel(graph: GraphProto): Uint8Array {
  const model = create(ModelSchema, {
    irVersion: 10n,
    producerName: "flock",
    graph,
    opsetImport: [{ domain: "", version: 21n }, ...(hasOwn(graph) ? [{ domain: OWN_DOMAIN, version: 1n }] : [])],
  });
  return toBinary(ModelSchema, model);
}

/** Whether the graph, or one within it, has an operator that is the runtime's own. */
function hasOwn({ node }: GraphProto): boolean {
  return node.some(({ domain, attribute }) => domain !== "" || attribute.some(({ g }) => g !== undefined && hasOwn(g)));
}

export function encodeInitializers(graph: Graph): TensorProto[] {
  return [...graph.constants.map(encodeConstant), ...graph.externals.map(encodeExternal)];
}

export function encodeConstant({ value, data }: Constant): TensorProto {
  const { name, dtype, shape } = value;
  return create(TensorSchema, { name, dataType: ELEMENT_TYPE[dtype], dims: shape.map(BigInt), rawData: data });
}

function encodeExternal({ value: { name, dtype, shape }, file, offset, bytes }: External): TensorProto {
  return create(TensorSchema, {
    name,
    dataType: ELEMENT_TYPE[dtype],
    dims: shape.map(BigInt),
    dataLocation: 1,
    externalData: [
      { key: "location", value: file },
      { key: "offset", value: String(offset) },
      { key: "length", value: String(bytes) },
    ],
  });
}

export function encodeNode({ op, inputs, outputs, attributes }: Node): NodeProto {
  return create(NodeSchema, {
    name: outputs[0]?.name ?? op,
    opType: op,
    domain: OWN_OPERATORS.includes(op) ? OWN_DOMAIN : "",
    input: inputs.map(({ name }) => name),
    output: outputs.map(({ name }) => name),
    attribute: Object.entries(attributes).map(([name, value]) => encodeAttribute(name, value)),
  });
}

export function encodeAttribute(name: string, value: Attribute | GraphProto): AttributeProto {
  if (typeof value === "number") {
    return create(AttributeSchema, { name, i: BigInt(value), type: ATTRIBUTE_TYPE.int });
  }
  if (typeof value === "string") {
    return create(AttributeSchema, { name, s: Buffer.from(value), type: ATTRIBUTE_TYPE.string });
  }
  if ("float" in value) return create(AttributeSchema, { name, f: value.float, type: ATTRIBUTE_TYPE.float });
  if ("dtype" in value) return encodeAttribute(name, ELEMENT_TYPE[value.dtype]);
  if ("$typeName" in value) return create(AttributeSchema, { name, g: value, type: ATTRIBUTE_TYPE.graph });
  return create(AttributeSchema, { name, ints: value.map(BigInt), type: ATTRIBUTE_TYPE.ints });
}

/** A string in the shape is a length that the caller chooses at each run. */
export function encodeValue({
  name,
  dtype,
  shape,
}: {
  name: string;
  dtype: Dtype;
  shape: readonly (number | string)[];
}): ValueInfo {
  const dim = shape.map((n) =>
    typeof n === "string"
      ? { value: { case: "dimParam" as const, value: n } }
      : { value: { case: "dimValue" as const, value: BigInt(n) } },
  );
  return create(ValueInfoSchema, { name, type: { tensorType: { elemType: ELEMENT_TYPE[dtype], shape: { dim } } } });
}
