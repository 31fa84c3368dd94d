import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Tensor } from "onnxruntime-node";
import { differentiate } from "../../../learning/graph/differentiate.ts";
import { joinFlat, splitFlat } from "../../../learning/graph/flat.ts";
import { Graph, type Value } from "../../../learning/graph/ir.ts";
import { add } from "../../../learning/graph/rules/add.ts";
import { gemm } from "../../../learning/graph/rules/gemm.ts";
import { mul } from "../../../learning/graph/rules/mul.ts";
import { reduceSum } from "../../../learning/graph/rules/reduceSum.ts";
import { reshape } from "../../../learning/graph/rules/reshape.ts";
import { serialize } from "../../../learning/graph/serialize.ts";
import { openSession } from "../../../learning/graph/session.ts";
import { checkGradient } from "../../support/gradients.ts";
import { numbersOf } from "../../support/numbers.ts";

describe("differentiate", () => {
  it("sums the gradients of a value that is used on several ways", () =>
    checkGradient({
      shapes: [
        [2, 3],
        [3, 2],
      ],
      build: (g, [a, b]) => {
        const product = gemm(g, a!, b!);
        return mul(g, add(g, product, product), gemm(g, a!, a!, { transB: true }));
      },
    }));

  it("writes no operator for what nobody asks the gradient of", () => {
    const operators = (track: (graph: Graph, a: Value, b: Value) => Value[]) => {
      const graph = new Graph();
      const [a, b] = [graph.input("a", "float32", [2]), graph.input("b", "float32", [2])];
      const wanted = track(graph, a, b);
      for (const value of wanted) graph.track(value);
      differentiate(graph, reshape(graph, reduceSum(graph, mul(graph, a, b), [0]), []), wanted);
      return graph.nodes.length;
    };
    assert.ok(operators((_, a) => [a]) < operators((_, a, b) => [a, b]));
  });

  it("refuses a loss that is no scalar, or that does not depend on what is asked for", () => {
    const graph = new Graph();
    const [a, b] = [graph.input("a", "float32", [2]), graph.input("b", "float32", [])];
    graph.track(a);
    assert.throws(() => differentiate(graph, a, [a]), /not \[\]/);
    assert.throws(() => differentiate(graph, b, [a]), /does not depend on a/);
  });
});

describe("a flat vector", () => {
  it("is cut into tensors and joined again, its gradient in the same order", async () => {
    const graph = new Graph();
    const flat = graph.input("flat", "float32", [5]);
    const [a, b] = splitFlat(graph, flat, [[2, 1], [3]]) as [Value, Value];
    const square = (x: Value) =>
      reshape(
        graph,
        reduceSum(
          graph,
          mul(graph, x, x),
          x.shape.map((_, axis) => axis),
        ),
        [],
      );
    const loss = add(graph, square(a), square(b));
    const joined = joinFlat(graph, [a, b]);
    const gradient = joinFlat(graph, differentiate(graph, loss, [a, b]));
    const session = await openSession(serialize(graph, [joined, gradient]), { device: "cpu", threads: 1 });
    const results = await session.run({ flat: new Tensor("float32", Float32Array.of(1, 2, 3, 4, 5), [5]) });
    assert.deepEqual(numbersOf(results, joined.name), [1, 2, 3, 4, 5]);
    assert.deepEqual(numbersOf(results, gradient.name), [2, 4, 6, 8, 10]);
  });
});
