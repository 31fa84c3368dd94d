import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { Tensor } from "onnxruntime-node";
import { ModelSchema } from "../../../learning/graph/generated/onnx_pb.ts";
import { Graph, type Value } from "../../../learning/graph/ir.ts";
import { serializeLoop } from "../../../learning/graph/loop.ts";
import { add } from "../../../learning/graph/rules/add.ts";
import { gemm } from "../../../learning/graph/rules/gemm.ts";
import { mul } from "../../../learning/graph/rules/mul.ts";
import { quantisedGemm } from "../../../learning/graph/rules/quantisedGemm.ts";
import { reshape } from "../../../learning/graph/rules/reshape.ts";
import { serialize } from "../../../learning/graph/serialize.ts";
import { openSession } from "../../../learning/graph/session.ts";
import { readGpus } from "../../../learning/train/gpus.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { numbersOf } from "../../support/numbers.ts";

function example(): { graph: Graph; y: Value } {
  const graph = new Graph();
  const x = graph.input("x", "float32", [2, 3]);
  const weights = graph.constant("float32", [3, 2], [1, 2, 3, 4, 5, 6]);
  return { graph, y: reshape(graph, gemm(graph, x, weights, { alpha: 0.5 }), [4]) };
}

describe("a serialised graph", () => {
  it("is the same bytes for the same construction", () => {
    const [a, b] = [example(), example()];
    assert.deepEqual(serialize(a.graph, [a.y]), serialize(b.graph, [b.y]));
  });

  it("holds equal small constants once", () => {
    const graph = new Graph();
    assert.equal(graph.integers([1, 2]), graph.integers([1, 2]));
    assert.notEqual(graph.integers([1, 2]), graph.constant("int32", [2], [1, 2]));
    assert.notEqual(graph.constant("float32", [1], [1]), graph.constant("float32", [], [1]));
    assert.equal(graph.constants.length, 4);
  });

  it("names the runtime's own set of operators where it uses one, also within a loop", () => {
    const sets = (bytes: Uint8Array) => fromBinary(ModelSchema, bytes).opsetImport.map(({ domain }) => domain);
    const graph = new Graph();
    const x = graph.input("x", "float32", [1, 32]);
    const weight = {
      bytes: graph.constant("uint8", [32, 1, 16], new Uint8Array(512)),
      codes: () => assert.fail("without a gradient the second view is not needed"),
      scales: graph.constant("float32", [32, 1], new Float32Array(32)),
    };
    const y = quantisedGemm(graph, x, weight);
    assert.deepEqual(sets(serialize(graph, [y])), ["", "com.microsoft"]);
    const loop = serializeLoop(graph, { perStep: [], carried: [{ before: x, after: y }], collected: {} });
    assert.deepEqual(sets(loop), ["", "com.microsoft"]);
    const plain = example();
    assert.deepEqual(sets(serialize(plain.graph, [plain.y])), [""]);
  });

  it("refers to tensors in files instead of holding them", () => {
    const graph = new Graph();
    const w = graph.external("w", "float32", [2], { file: "model.safetensors", offset: 96, bytes: 8 });
    const model = fromBinary(ModelSchema, serialize(graph, [mul(graph, w, w)]));
    const [initializer] = model.graph?.initializer ?? [];
    assert.equal(initializer?.dataLocation, 1);
    assert.equal(initializer?.rawData.length, 0);
    assert.deepEqual(
      initializer?.externalData.map(({ key, value }) => [key, value]),
      [
        ["location", "model.safetensors"],
        ["offset", "96"],
        ["length", "8"],
      ],
    );
  });

  it("refuses shapes that do not fit while it is built", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [2, 3]);
    assert.throws(() => add(graph, x, graph.input("y", "float32", [2])), /do not broadcast/);
    assert.throws(() => gemm(graph, x, x), /cannot be multiplied/);
    assert.throws(() => reshape(graph, x, [5]), /cannot be read as/);
    assert.throws(() => graph.constant("float32", [2], [1]), /do not fill/);
  });
});

describe("a loop", () => {
  it("hands state from step to step, takes each step's own input and keeps what is collected", async () => {
    const graph = new Graph();
    const state = graph.input("state", "float32", [2]);
    const input = graph.input("input", "float32", []);
    const after = add(graph, mul(graph, state, graph.scalar(2, state)), input);
    const model = serializeLoop(graph, {
      perStep: [input],
      carried: [{ before: state, after }],
      collected: { trace: mul(graph, input, input) },
    });
    const session = await openSession(model, { device: "cpu", threads: 1 });
    const run = async (inputs: number[]) =>
      session.run({
        steps: new Tensor("int64", BigInt64Array.of(BigInt(inputs.length)), []),
        input_all: new Tensor("float32", Float32Array.from(inputs), [inputs.length]),
        state_start: new Tensor("float32", Float32Array.of(1, 0), [2]),
      });
    const three = await run([1, 2, 3]);
    assert.deepEqual(numbersOf(three, "state_end"), [8 + 4 + 4 + 3, 4 + 4 + 3]);
    assert.deepEqual(numbersOf(three, "trace"), [1, 4, 9]);
    const one = await run([5]);
    assert.deepEqual(numbersOf(one, "state_end"), [7, 5]);
  });
});

describe("a session", () => {
  it("on CUDA is refused where there is none, instead of running on the processor", async (t) => {
    // Only a machine without a GPU can show the refusal; one that has it opens the session.
    if ((await readGpus()).length > 0) return t.skip("needs a machine without a GPU");
    const { graph, y } = example();
    const model = serialize(graph, [y]);
    await assert.rejects(openSession(model, { device: "cuda", threads: 1 }), PermanentError);
  });
});
