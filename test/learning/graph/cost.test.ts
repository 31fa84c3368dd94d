import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flopsOf, memoryOf } from "../../../learning/graph/cost.ts";
import { differentiate } from "../../../learning/graph/differentiate.ts";
import { Graph } from "../../../learning/graph/ir.ts";
import { add } from "../../../learning/graph/rules/add.ts";
import { cast } from "../../../learning/graph/rules/cast.ts";
import { gemm } from "../../../learning/graph/rules/gemm.ts";
import { matmul } from "../../../learning/graph/rules/matmul.ts";
import { quantisedGemm } from "../../../learning/graph/rules/quantisedGemm.ts";
import { reduceSum } from "../../../learning/graph/rules/reduceSum.ts";
import { reshape } from "../../../learning/graph/rules/reshape.ts";
import { softmax } from "../../../learning/graph/rules/softmax.ts";
import { FlockError } from "../../../protocol/errors.ts";

/** [5, 64] by [7, 64] in 4 bits. */
function quantisedProduct() {
  const graph = new Graph();
  const x = graph.input("x", "float32", [5, 64]);
  graph.track(x);
  const place = { file: "f", offset: 0, bytes: 7 * 32 };
  const weight = {
    bytes: graph.external("w", "uint8", [7, 2, 16], place),
    codes: () => graph.external("w.codes", "uint4", [7, 64], place),
    scales: graph.external("s", "float32", [7, 2], { file: "f", offset: 7 * 32, bytes: 56 }),
  };
  return { graph, x, y: quantisedGemm(graph, x, weight) };
}

describe("floating-point operations", () => {
  it("of matrix products are two for each pair of numbers that meet", () => {
    const graph = new Graph();
    const a = graph.input("a", "float32", [5, 3]);
    const b = graph.input("b", "float32", [7, 5]);
    gemm(graph, a, b, { transA: true, transB: true });
    assert.equal(flopsOf(graph), 2 * 3 * 5 * 7);
    gemm(graph, a, b, { transA: true, transB: true, addend: graph.input("c", "float32", [7]) });
    assert.equal(flopsOf(graph), 4 * 3 * 5 * 7 + 3 * 7);
    const stack = new Graph();
    matmul(stack, stack.input("a", "float32", [2, 4, 5, 3]), stack.input("b", "float32", [2, 4, 3, 6]));
    assert.equal(flopsOf(stack), 2 * 2 * 4 * 5 * 3 * 6);
    matmul(stack, stack.input("c", "float32", [2, 3, 5]), stack.input("d", "float32", [2, 3, 6]), { transA: true });
    assert.equal(flopsOf(stack), 2 * 2 * 4 * 5 * 3 * 6 + 2 * 2 * 3 * 5 * 6);
  });

  it("of a product with a matrix in 4 bits are as many, and two for each of its numbers that is decoded", () => {
    const { graph, x, y } = quantisedProduct();
    assert.equal(flopsOf(graph), 2 * 5 * 64 * 7 + 2 * 64 * 7);
    const before = flopsOf(graph);
    differentiate(graph, reshape(graph, reduceSum(graph, y, [0, 1]), []), [x]);
    assert.ok(flopsOf(graph) - before > 2 * 5 * 64 * 7 + 2 * 64 * 7);
  });

  it("of elementwise operators are counted by what comes out, of sums by what goes in, of moves not at all", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [4, 6]);
    add(graph, x, graph.scalar(1, x));
    assert.equal(flopsOf(graph), 24);
    reduceSum(graph, x, [0, 1]);
    assert.equal(flopsOf(graph), 48);
    softmax(graph, reshape(graph, x, [6, 4]));
    assert.equal(flopsOf(graph), 48 + 5 * 24);
  });

  it("of an operator that nobody counted are not guessed", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [1]);
    graph.emit("Erf", [x], { shape: [1] });
    assert.throws(() => flopsOf(graph), FlockError);
  });
});

describe("the memory of a graph", () => {
  it("is the most that is still needed at once, a reshaped tensor counting once", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [10]);
    const a = add(graph, x, x); // 40 bytes
    const b = reshape(graph, a, [2, 5]);
    const c = add(graph, b, b); // 40 more, and a goes
    const d = reduceSum(graph, c, [0]); // 20 more, and c goes
    assert.equal(memoryOf(graph, [d]).activations, 80);
    assert.equal(memoryOf(graph, [a, d]).activations, 100);
  });

  it("counts a frozen matrix once for each way in which it is multiplied, and once more if it is widened", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [3, 4]);
    const place = { file: "f", offset: 0 };
    const full = graph.external("full", "float32", [4, 4], { ...place, bytes: 64 });
    const half = cast(graph, graph.external("half", "bfloat16", [4, 4], { ...place, bytes: 32 }), "float32");
    const y = gemm(graph, gemm(graph, x, full), full);
    const z = gemm(graph, gemm(graph, y, full, { transB: true }), half);
    const { external, packed, widened, constants } = memoryOf(graph, [z]);
    assert.deepEqual(
      { external, packed, widened, constants },
      { external: 96, packed: 3 * 64, widened: 64, constants: 0 },
    );
  });

  it("counts a matrix in 4 bits as it is stored, though it is read in two ways, and decoded where a gradient needs it", () => {
    const { graph, x, y } = quantisedProduct();
    const forward = memoryOf(graph, [y]);
    assert.deepEqual([forward.external, forward.packed, forward.activations], [7 * 32 + 56, 7 * 32, 4 * 5 * 7]);
    const [dx] = differentiate(graph, reshape(graph, reduceSum(graph, y, [0, 1]), []), [x]);
    const { external, packed, activations } = memoryOf(graph, [dx!]);
    assert.deepEqual([external, packed], [7 * 32 + 56, 7 * 32]);
    assert.ok(activations >= 4 * 7 * 64 + 4 * 5 * 64 && activations < 4 * 7 * 64 + 4 * 5 * 64 + 4 * 5 * 7 + 100);
  });
});
