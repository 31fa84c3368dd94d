import { Stream } from "../random.ts";

/**
 * Which examples make up each step's batch: all of them in a random order, then all again in another, cut into batches. A function of its
 * arguments alone, so anyone who has the seed can repeat the training.
 */
export function batchOrder(count: number, steps: number, batch: number, seed: string): number[][] {
  const stream = new Stream(seed, "batches");
  let order: number[] = [];
  let next = 0;
  const draw = () => {
    if (next === order.length) {
      order = stream.shuffle(Array.from({ length: count }, (_, i) => i));
      next = 0;
    }
    return order[next++] as number;
  };
  return Array.from({ length: steps }, () => Array.from({ length: batch }, draw));
}
