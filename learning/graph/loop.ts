import { create } from "@bufbuild/protobuf";
import { GraphSchema, NodeSchema } from "./generated/onnx_pb.ts";
import type { Graph, Value } from "./ir.ts";
import { encodeAttribute, encodeInitializers, encodeModel, encodeNode, encodeValue } from "./serialize.ts";

export type LoopParts = {
  /** Inputs of which each step gets its own: the model takes them stacked, [steps, ...], as `NAME_all`. */
  perStep: readonly Value[];
  /** Inputs that an output replaces for the next step: the model takes the first as `NAME_start` and gives the last as `NAME_end`. */
  carried: readonly { before: Value; after: Value }[];
  /** Outputs kept of every step: the model gives them stacked, under the names here. */
  collected: Readonly<Record<string, Value>>;
};

/**
 * Runs a graph any number of times as one ONNX Loop, so that what the steps hand on never leaves the device. The model's first input is
 * `steps`, a scalar int64. The graph's constants move to the outside: made once, not once a step.
 */
export function serializeLoop(graph: Graph, { perStep, carried, collected }: LoopParts): Uint8Array {
  const scalar = (name: string, dtype: "int64" | "bool") => encodeValue({ name, dtype, shape: [] });
  const called = (value: Value, ending: string, shape: readonly (number | string)[] = value.shape) =>
    encodeValue({ ...value, name: `${value.name}_${ending}`, shape });
  const body = create(GraphSchema, {
    name: "step",
    node: [
      // This step's slice: along the first axis, an index without axes of its own takes the axis away.
      ...perStep.map((value) =>
        create(NodeSchema, {
          name: `pick_${value.name}`,
          opType: "Gather",
          input: [`${value.name}_all`, "step"],
          output: [value.name],
          attribute: [encodeAttribute("axis", 0)],
        }),
      ),
      ...graph.nodes.map(encodeNode),
      create(NodeSchema, { name: "go_on", opType: "Identity", input: ["going"], output: ["going_out"] }),
    ],
    input: [scalar("step", "int64"), scalar("going", "bool"), ...carried.map(({ before }) => encodeValue(before))],
    output: [
      scalar("going_out", "bool"),
      ...carried.map(({ after }) => encodeValue(after)),
      ...Object.values(collected).map((value) => encodeValue(value)),
    ],
  });
  return encodeModel(
    create(GraphSchema, {
      name: "steps",
      node: [
        create(NodeSchema, {
          name: "loop",
          opType: "Loop",
          // No condition: the number of steps alone decides.
          input: ["steps", "", ...carried.map(({ before }) => `${before.name}_start`)],
          output: [...carried.map(({ before }) => `${before.name}_end`), ...Object.keys(collected)],
          attribute: [encodeAttribute("body", body)],
        }),
      ],
      initializer: encodeInitializers(graph),
      input: [
        scalar("steps", "int64"),
        ...perStep.map((value) => called(value, "all", ["steps", ...value.shape])),
        ...carried.map(({ before }) => called(before, "start")),
      ],
      output: [
        ...carried.map(({ before }) => called(before, "end")),
        ...Object.entries(collected).map(([name, value]) =>
          encodeValue({ ...value, name, shape: ["steps", ...value.shape] }),
        ),
      ],
    }),
  );
}
