import { pullBack } from "../graph/differentiate.ts";
import { joinFlat } from "../graph/flat.ts";
import { Graph, type Value } from "../graph/ir.ts";
import { cast } from "../graph/rules/cast.ts";
import { type AdapterSpec, adapterLayout } from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { attendRows, decoderLayer } from "../model/llama.ts";
import { adapterParameters, type LayerGroup } from "../model/parameters.ts";
import { linearShape, TARGETS } from "../model/weights.ts";

/** `batch` rows of `length` positions; packed rows hold several sequences. */
export type StreamShape = { batch: number; length: number; packed?: boolean | undefined };

/** How much of a model is in memory at once; where borders lie decides the bits, so this does not follow from the machine. */
export type StreamParts = {
  /** Weights of a group of layers, at most, unless one layer has more. */
  groupWeights: number;
  /** Rows of the output layer. */
  vocabularyRows: number;
};

export const STREAM_PARTS: StreamParts = { groupWeights: 1 << 28, vocabularyRows: 8192 };

/** A model's layers, cut into groups. */
export function layerGroups(config: ModelConfig, { groupWeights }: StreamParts = STREAM_PARTS): LayerGroup[] {
  const weights = TARGETS.reduce((sum, target) => {
    const { rows, inputs } = linearShape(config, target);
    return sum + rows * inputs;
  }, 0);
  const size = Math.max(1, Math.floor(groupWeights / weights));
  return Array.from({ length: Math.ceil(config.layers / size) }, (_, i) => ({
    first: i * size,
    end: Math.min(config.layers, (i + 1) * size),
  }));
}

/** Where the factors B of a group lie in the flat adapter, in elements. */
export function groupSlice(config: ModelConfig, spec: AdapterSpec, { first, end }: LayerGroup): [number, number] {
  const own = adapterLayout(config, spec).filter(({ layer }) => layer >= first && layer < end);
  const [begin, last] = [own[0], own.at(-1)];
  if (begin === undefined || last === undefined) return [0, 0];
  return [begin.offset, last.offset + last.rows * last.columns];
}

/** What lies at a border between groups: float16 [batch * length, hidden]. What float16 cannot hold is cut off at its largest number. */
export function border(graph: Graph, x: Value): Value {
  const limits = [graph.scalar(-65504, x), graph.scalar(65504, x)];
  return cast(graph, graph.emit("Clip", [x, ...limits], { shape: x.shape }), "float16");
}

/**
 * A group's forward pass: takes `x` float16 [batch * length, hidden], `adapter` [the group's factors B] and, for packed rows, `positions` and `segments`;
 * gives the next border.
 */
export function groupForward(checkpoint: Checkpoint, spec: AdapterSpec, group: LayerGroup, shape: StreamShape) {
  const { graph, y } = throughGroup(checkpoint, spec, group, shape);
  return { graph, outputs: [border(graph, y)] };
}

/**
 * A group's backward pass, which computes its forward pass once more: takes what that takes, and `gradient` [batch * length, hidden] of its output. Gives
 * the gradient of the factors B, flat, and, unless the group is the first, that of x.
 */
export function groupBackward(checkpoint: Checkpoint, spec: AdapterSpec, group: LayerGroup, shape: StreamShape) {
  const { graph, x, y, trained } = throughGroup(checkpoint, spec, group, shape);
  const gradient = graph.input("gradient", "float32", y.shape);
  const by = group.first === 0 ? trained : [...trained, x];
  const gradients = pullBack(graph, y, gradient, by);
  const flat = joinFlat(graph, gradients.slice(0, trained.length));
  return { graph, outputs: [flat, ...gradients.slice(trained.length)] };
}

function throughGroup(checkpoint: Checkpoint, spec: AdapterSpec, group: LayerGroup, shape: StreamShape) {
  const { config } = checkpoint;
  const { batch, length, packed = false } = shape;
  const graph = new Graph();
  const rows = batch * length;
  // Only what is behind the rounding is differentiated: gradients cross borders unrounded.
  const x = cast(graph, graph.input("x", "float16", [rows, config.hidden]), "float32");
  if (group.first > 0) graph.track(x);
  const [begin, end] = groupSlice(config, spec, group);
  const adapter = graph.input("adapter", "float32", [end - begin]);
  const place = (name: string) => graph.input(name, "int32", [rows]);
  const apart = packed ? { positions: place("positions"), segments: place("segments") } : undefined;

  const parameters = adapterParameters(graph, checkpoint, spec, adapter, group);
  const attend = attendRows(graph, config, { batch, length, packed: apart });
  let y = x;
  for (let layer = group.first; layer < group.end; layer++) {
    y = decoderLayer(graph, config, { x: y, layer }, parameters, attend);
  }
  return { graph, x, y, trained: parameters.trained };
}
