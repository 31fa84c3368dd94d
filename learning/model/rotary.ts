import type { Graph } from "../graph/ir.ts";
import type { RotaryTables } from "../graph/rules/rotaryEmbedding.ts";
import type { ModelConfig } from "./config.ts";
import { inverseFrequencies } from "./ropeScaling.ts";

/** The tables of the positions from 0 to before `length`, written into the graph, for rows that begin at 0. */
export function rotaryTables(graph: Graph, length: number, config: ModelConfig): RotaryTables {
  return { ...turns(graph, length, config), places: graph.integers([0]) };
}

/** The same tables without places: where tokens stand is for the caller to say. */
export function turns(graph: Graph, length: number, config: ModelConfig): Omit<RotaryTables, "places"> {
  const { cos, sin } = rotaryNumbers(config, 0, length);
  const table = (numbers: number[]) => graph.constant("float32", [length, config.headSize / 2], numbers);
  return { cos: table(cos), sin: table(sin) };
}

/** Cosines and sines of `length` positions from `first` on, [length, headSize / 2]: position p and pair i turn by p times the pair's frequency. */
export function rotaryNumbers(config: ModelConfig, first: number, length: number): { cos: number[]; sin: number[] } {
  const frequencies = inverseFrequencies(config);
  const angles = Array.from({ length }, (_, i) => frequencies.map((frequency) => (first + i) * frequency)).flat();
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
}
