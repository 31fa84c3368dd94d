import { Graph, type Value } from "../graph/ir.ts";
import { concat } from "../graph/rules/concat.ts";
import { gather } from "../graph/rules/gather.ts";
import { reshape } from "../graph/rules/reshape.ts";
import { serialize } from "../graph/serialize.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "./adapter.ts";
import { attention, splitHeads } from "./attention.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type Attend, lastStates, outputs } from "./llama.ts";
import { adapterParameters } from "./parameters.ts";

/** How many tokens are read at once, and how many positions before them the cache has room for. */
export type CacheShape = { length: number; room: number };

/**
 * The forward pass of a sequence's next tokens, whose attention finds the keys and values of earlier positions in a cache (Pope et al. 2022,
 * section 3). Takes `tokens` int32 [length], `last` int32 [1] (the row whose output counts), `cos`, `sin` [length, headSize / 2], `mask`
 * [1, 1, length, room + length], the `adapter` [size] and, for each layer, `keys_i`, `values_i` [1, kvHeads, room, headSize]. Its outputs, in order:
 * logits [1, vocabulary], then each layer's new keys and values [1, kvHeads, length, headSize].
 */
export function cachedForward(checkpoint: Checkpoint, spec: AdapterSpec, { length, room }: CacheShape): Uint8Array {
  const { config } = checkpoint;
  const { kvHeads, headSize, hidden } = config;
  const graph = new Graph();
  const tokens = graph.input("tokens", "int32", [length]);
  const last = graph.input("last", "int32", [1]);
  const table = (name: string) => graph.input(name, "float32", [length, headSize / 2]);
  const tables = { cos: table("cos"), sin: table("sin"), places: graph.integers([0]) };
  const mask = graph.input("mask", "float32", [1, 1, length, room + length]);
  const flat = graph.input("adapter", "float32", [adapterSize(adapterLayout(config, spec))]);

  const fresh: Value[] = [];
  const attend: Attend = (layer, projections) => {
    const { q, k, v } = splitHeads(graph, config, { batch: 1, length, tables }, projections);
    fresh.push(k, v);
    const past = (name: string) => graph.input(`${name}_${layer}`, "float32", [1, kvHeads, room, headSize]);
    return attention(graph, config, {
      q,
      k: concat(graph, [past("keys"), k], 2),
      v: concat(graph, [past("values"), v], 2),
      mask,
    });
  };
  const parameters = adapterParameters(graph, checkpoint, spec, flat);
  const states = lastStates(graph, config, tokens, parameters, attend);
  const state = reshape(graph, gather(graph, states, last), [1, hidden]);
  return serialize(graph, [outputs(graph, config, state, parameters), ...fresh]);
}
