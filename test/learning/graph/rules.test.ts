import { describe, it } from "node:test";
import { ZERO_CODE } from "../../../learning/graph/fourBit.ts";
import type { Graph } from "../../../learning/graph/ir.ts";
import { add } from "../../../learning/graph/rules/add.ts";
import { cast } from "../../../learning/graph/rules/cast.ts";
import { concat } from "../../../learning/graph/rules/concat.ts";
import { crossEntropy } from "../../../learning/graph/rules/crossEntropy.ts";
import { div } from "../../../learning/graph/rules/div.ts";
import { expand } from "../../../learning/graph/rules/expand.ts";
import { gather } from "../../../learning/graph/rules/gather.ts";
import { gemm } from "../../../learning/graph/rules/gemm.ts";
import { matmul } from "../../../learning/graph/rules/matmul.ts";
import { mul } from "../../../learning/graph/rules/mul.ts";
import { neg } from "../../../learning/graph/rules/neg.ts";
import { quantisedGemm } from "../../../learning/graph/rules/quantisedGemm.ts";
import { reduceMean } from "../../../learning/graph/rules/reduceMean.ts";
import { reduceSum } from "../../../learning/graph/rules/reduceSum.ts";
import { reshape } from "../../../learning/graph/rules/reshape.ts";
import { rmsNorm } from "../../../learning/graph/rules/rmsNorm.ts";
import { rotaryEmbedding } from "../../../learning/graph/rules/rotaryEmbedding.ts";
import { silu } from "../../../learning/graph/rules/silu.ts";
import { slice } from "../../../learning/graph/rules/slice.ts";
import { softmax } from "../../../learning/graph/rules/softmax.ts";
import { sqrt } from "../../../learning/graph/rules/sqrt.ts";
import { sub } from "../../../learning/graph/rules/sub.ts";
import { transpose } from "../../../learning/graph/rules/transpose.ts";
import { Stream } from "../../../learning/random.ts";
import { checkGradient, type GradientCheck } from "../../support/gradients.ts";

/** A matrix in 4 bits whose numbers are random. */
function fourBits(graph: Graph, rows: number, blocks: number) {
  const random = new Stream("gradients", "codes");
  const codes = Array.from({ length: rows * blocks * 32 }, () => random.below(16));
  const bytes = Array.from({ length: codes.length / 2 }, (_, i) => (codes[2 * i] ?? 0) + 16 * (codes[2 * i + 1] ?? 0));
  const scales = Array.from({ length: rows * blocks }, () => (random.float() - 0.5) / ZERO_CODE);
  return {
    bytes: graph.constant("uint8", [rows, blocks, 16], bytes),
    codes: () => graph.constant("uint4", [rows, blocks * 32], codes),
    scales: graph.constant("float32", [rows, blocks], scales),
  };
}

const checks: Record<string, GradientCheck> = {
  add: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    build: (g, [a, b]) => add(g, a!, b!),
  },
  "add, broadcast": {
    shapes: [
      [2, 1, 3],
      [4, 1],
    ],
    build: (g, [a, b]) => add(g, a!, b!),
  },
  "add of a value to itself": { shapes: [[3]], build: (g, [a]) => add(g, a!, a!) },
  sub: { shapes: [[2, 3], [3]], build: (g, [a, b]) => sub(g, a!, b!) },
  mul: {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: (g, [a, b]) => mul(g, a!, b!),
  },
  "mul of a value by itself": { shapes: [[3]], build: (g, [a]) => mul(g, a!, a!) },
  div: { shapes: [[2, 3], [3]], range: [0.5, 2], build: (g, [a, b]) => div(g, a!, b!) },
  neg: { shapes: [[4]], build: (g, [x]) => neg(g, x!) },
  sqrt: { shapes: [[4]], range: [0.5, 2], build: (g, [x]) => sqrt(g, x!) },
  // Through float32, whose rounding is all there is to see.
  cast: { shapes: [[4]], step: 0.1, tolerance: 1e-5, build: (g, [x]) => cast(g, cast(g, x!, "float32"), "float64") },
  reshape: { shapes: [[2, 6]], build: (g, [x]) => reshape(g, x!, [3, 4]) },
  transpose: { shapes: [[2, 3, 4]], build: (g, [x]) => transpose(g, x!, [2, 0, 1]) },
  slice: { shapes: [[2, 5]], build: (g, [x]) => slice(g, x!, 1, 1, 4) },
  concat: {
    shapes: [
      [2, 1],
      [2, 3],
      [2, 2],
    ],
    build: (g, [a, b, c]) => concat(g, [a!, b!, c!], 1),
  },
  expand: { shapes: [[2, 1, 3]], build: (g, [x]) => expand(g, x!, [2, 4, 3]) },
  reduceMean: { shapes: [[2, 3, 4]], build: (g, [x]) => reduceMean(g, x!, [0, 2]) },
  reduceSum: { shapes: [[2, 3, 4]], build: (g, [x]) => reduceSum(g, x!, [1]) },
  ...Object.fromEntries(
    [
      { transA: false, transB: false },
      { transA: true, transB: false },
      { transA: false, transB: true, alpha: 2 },
      { transA: true, transB: true },
    ].map((options): [string, GradientCheck] => [
      `matmul ${JSON.stringify(options)}`,
      {
        shapes: [options.transA ? [2, 4, 3] : [2, 3, 4], options.transB ? [2, 2, 4] : [2, 4, 2]],
        // The runtime has it in float32 only. It is linear in each operand, so a large step loses nothing.
        ...{ dtype: "float32", step: 0.1, tolerance: 1e-5 },
        build: (g, [a, b]) => matmul(g, a!, b!, options),
      },
    ]),
  ),
  gemm: {
    shapes: [
      [2, 3],
      [3, 4],
    ],
    build: (g, [a, b]) => gemm(g, a!, b!, { alpha: 0.5 }),
  },
  "gemm, first transposed": {
    shapes: [
      [3, 2],
      [3, 4],
    ],
    build: (g, [a, b]) => gemm(g, a!, b!, { transA: true }),
  },
  "gemm, second transposed": {
    shapes: [
      [2, 3],
      [4, 3],
    ],
    build: (g, [a, b]) => gemm(g, a!, b!, { transB: true }),
  },
  "gemm, both transposed": {
    shapes: [
      [3, 2],
      [4, 3],
    ],
    build: (g, [a, b]) => gemm(g, a!, b!, { transA: true, transB: true }),
  },
  "gemm with an addend": {
    shapes: [[2, 3], [4, 3], [4]],
    build: (g, [a, b, c]) => gemm(g, a!, b!, { transB: true, alpha: 2, addend: c! }),
  },
  // Linear, in float32: large steps lose nothing and hide its rounding.
  quantisedGemm: {
    shapes: [[3, 64], [5]],
    ...{ dtype: "float32", step: 0.5, tolerance: 1e-4 },
    build: (g, [x, c]) => quantisedGemm(g, x!, fourBits(g, 5, 2), { addend: c! }),
  },
  softmax: { shapes: [[2, 3, 4]], range: [-3, 3], build: (g, [x]) => softmax(g, x!) },
  // The runtime has it in float32 only.
  rotaryEmbedding: {
    shapes: [[2, 3, 8]],
    dtype: "float32",
    step: 0.1,
    tolerance: 1e-5,
    build: (g, [x]) => {
      const table = (f: (angle: number) => number) => {
        return g.constant(
          "float32",
          [3, 2],
          Array.from({ length: 6 }, (_, i) => f(0.7 * i)),
        );
      };
      const places = g.constant("int64", [2, 3], [0, 1, 2, 0, 0, 1]);
      return rotaryEmbedding(g, x!, { cos: table(Math.cos), sin: table(Math.sin), places });
    },
  },
  silu: { shapes: [[6]], range: [-4, 4], build: (g, [x]) => silu(g, x!) },
  // Its second output is float32 whatever goes in, so the check is as coarse as float32 allows.
  rmsNorm: {
    shapes: [[3, 8], [8]],
    dtype: "float32",
    step: 1e-2,
    tolerance: 3e-4,
    build: (g, [x, w]) => rmsNorm(g, x!, w!, 1e-5),
  },
  gather: { shapes: [[5, 3]], build: (g, [x]) => gather(g, x!, g.constant("int32", [4], [1, 4, 1, 0])) },
  crossEntropy: {
    shapes: [[3, 5]],
    range: [-3, 3],
    build: (g, [x]) => crossEntropy(g, x!, g.constant("int32", [3], [4, 0, 2])),
  },
};

describe("the derivative of", () => {
  for (const [name, check] of Object.entries(checks)) {
    it(`${name} agrees with central differences`, () => checkGradient(check));
  }
});
