import { Stream } from "../random.ts";

/**
 * Which examples make up each step's batch: all of them in a random order, then all again in another, cut into batches. A function of its
 * arguments alone, so anyone who has the seed can repeat the training.
 */
export function batchOrder(count: number, steps: number, batch: number, seed: string): number[][] {
  const stream = new Stream(seed, "batches");
  const order: number[] = [];
  while (order.length < steps * batch) {
    order.push(...stream.shuffle(Array.from({ length: count }, (_, i) => i)));
  }
  return Array.from({ length: steps }, (_, step) => order.slice(step * batch, (step + 1) * batch));
}
