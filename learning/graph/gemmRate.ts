import { Tensor } from "onnxruntime-node";
import { Graph } from "./ir.ts";
import { matmul } from "./rules/matmul.ts";
import { serialize } from "./serialize.ts";
import { openSession, type SessionOptions } from "./session.ts";

const SIZE = 768;

/**
 * Floating-point operations a second of matrix products, [768, 768] by [768, 768], as the median of `rounds` runs after one to warm up: what a training step
 * can reach at most.
 */
export async function measureGemmRate(options: SessionOptions, rounds = 15): Promise<number> {
  const graph = new Graph();
  const a = graph.input("a", "float32", [SIZE, SIZE]);
  const b = graph.input("b", "float32", [SIZE, SIZE]);
  const session = await openSession(serialize(graph, [matmul(graph, a, b)]), options);
  const matrix = () => new Tensor("float32", new Float32Array(SIZE * SIZE).fill(0.5), [SIZE, SIZE]);
  const feeds = { a: matrix(), b: matrix() };
  const seconds: number[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      await session.run(feeds);
      if (round > 0) seconds.push((performance.now() - start) / 1000);
    }
  } finally {
    await session.release();
  }
  seconds.sort((x, y) => x - y);
  return (2 * SIZE ** 3) / (seconds[Math.floor(rounds / 2)] as number);
}
