import assert from "node:assert/strict";
import { Tensor } from "onnxruntime-node";
import { differentiate } from "../../learning/graph/differentiate.ts";
import { type Dtype, Graph, type Value } from "../../learning/graph/ir.ts";
import { mul } from "../../learning/graph/rules/mul.ts";
import { reduceSum } from "../../learning/graph/rules/reduceSum.ts";
import { reshape } from "../../learning/graph/rules/reshape.ts";
import { serialize } from "../../learning/graph/serialize.ts";
import { openSession } from "../../learning/graph/session.ts";
import { sizeOf } from "../../learning/graph/shapes.ts";
import { Stream } from "../../learning/random.ts";

export type GradientCheck = {
  /** Shapes of the differentiable inputs. */
  shapes: number[][];
  /** Adds the operator under test. */
  build: (graph: Graph, inputs: Value[]) => Value;
  /** Inputs are uniform in this range; keep divisors and roots away from 0. */
  range?: [low: number, high: number];
  dtype?: Dtype;
  step?: number;
  tolerance?: number;
};

/**
 * Compares every partial derivative of a random weighting of an operator's output with the central difference
 * (f(x + h) - f(x - h)) / 2h, computed by the same runtime; float64 unless an operator has none.
 */
export async function checkGradient(check: GradientCheck): Promise<void> {
  const { shapes, build, range = [-1, 1], dtype = "float64", step = 1e-4, tolerance = 1e-6 } = check;
  const random = new Stream("gradients", JSON.stringify(shapes));
  const uniform = () => range[0] + (range[1] - range[0]) * random.float();

  const graph = new Graph();
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, dtype, shape));
  for (const input of inputs) graph.track(input);
  const output = build(graph, inputs);
  const weights = Array.from({ length: sizeOf(output.shape) }, () => 2 * random.float() - 1);
  const weighted = mul(graph, output, graph.constant(dtype, output.shape, weights));
  const axes = output.shape.map((_, axis) => axis);
  const loss = reshape(graph, axes.length === 0 ? weighted : reduceSum(graph, weighted, axes), []);
  const gradients = differentiate(graph, loss, inputs);
  const session = await openSession(serialize(graph, [loss, ...gradients]), { device: "cpu", threads: 1 });

  const point = shapes.map((shape) => Array.from({ length: sizeOf(shape) }, uniform));
  const run = async () => {
    const array = (numbers: number[]) =>
      dtype === "float64" ? Float64Array.from(numbers) : Float32Array.from(numbers);
    const feeds = shapes.map((shape, i) => [`x${i}`, new Tensor(array(point[i] as number[]), shape)] as const);
    const results = await session.run(Object.fromEntries(feeds));
    return (value: Value) => Array.from(results[value.name]?.data as Float64Array);
  };
  const lossNow = async () => (await run())(loss)[0] as number;
  const at = await run();
  for (const [i, gradient] of gradients.entries()) {
    const computed = at(gradient);
    const numbers = point[i] as number[];
    for (const [j, x] of numbers.entries()) {
      numbers[j] = x + step;
      const above = await lossNow();
      numbers[j] = x - step;
      const below = await lossNow();
      numbers[j] = x;
      const expected = (above - below) / (2 * step);
      const difference = Math.abs((computed[j] as number) - expected);
      assert.ok(
        difference <= tolerance * Math.max(1, Math.abs(expected)),
        `input ${i}, element ${j}: ${computed[j]} differs from the central difference ${expected}`,
      );
    }
  }
  await session.release();
}
