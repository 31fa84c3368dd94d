import type { Graph, Value } from "../graph/ir.ts";
import { add } from "../graph/rules/add.ts";
import { concat } from "../graph/rules/concat.ts";
import { mul } from "../graph/rules/mul.ts";
import { neg } from "../graph/rules/neg.ts";
import { slice } from "../graph/rules/slice.ts";
import type { ModelConfig } from "./config.ts";
import { inverseFrequencies } from "./ropeScaling.ts";

/** Cosines and sines of all positions and frequencies, each [1, 1, length, headSize], or [batch, 1, length, headSize] where rows differ. */
export type RotaryTables = { cos: Value; sin: Value };

/** The tables of the positions from 0 to before `length`, written into the graph. */
export function rotaryTables(graph: Graph, length: number, config: ModelConfig): RotaryTables {
  const { cos, sin } = rotaryNumbers(config, 0, length);
  const table = (numbers: number[]) => graph.constant("float32", [1, 1, length, config.headSize], numbers);
  return { cos: table(cos), sin: table(sin) };
}

/**
 * Cosines and sines of `length` positions from `first` on, [length, headSize]. Position p and pair i turn by p times the pair's frequency; both halves of a
 * head get the same angles, as in Hugging Face's Llama.
 */
export function rotaryNumbers(config: ModelConfig, first: number, length: number): { cos: number[]; sin: number[] } {
  const { headSize } = config;
  const frequencies = inverseFrequencies(config);
  const angles = Array.from({ length: length * headSize }, (_, k) => {
    const position = first + Math.floor(k / headSize);
    return position * (frequencies[(k % headSize) % frequencies.length] as number);
  });
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
}

/** Rotary position embedding (Su et al. 2021) of x [batch, heads, length, headSize]: x * cos + (-x2, x1) * sin for x = (x1, x2). */
export function rotary(graph: Graph, x: Value, { cos, sin }: RotaryTables): Value {
  const headSize = x.shape[3] as number;
  const first = slice(graph, x, 3, 0, headSize / 2);
  const second = slice(graph, x, 3, headSize / 2, headSize);
  const turned = concat(graph, [neg(graph, second), first], 3);
  return add(graph, mul(graph, x, cos), mul(graph, turned, sin));
}
