import { createHash } from "node:crypto";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { halfBits, halfTensor } from "../graph/halfTensor.ts";
import { serialize } from "../graph/serialize.ts";
import type { Computing } from "../graph/session.ts";
import type { AdapterSpec } from "../model/adapter.ts";
import type { Batch } from "../model/batches.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { PackedBatch } from "../model/packing.ts";
import { embedForward, headBackward, headForward } from "./ends.ts";
import {
  groupBackward,
  groupForward,
  groupSlice,
  layerGroups,
  STREAM_PARTS,
  type StreamParts,
  type StreamShape,
} from "./groups.ts";
import { openSessions, type Part } from "./sessions.ts";

/** Of each position: the loss of its label in nats, and the likeliest next token. */
export type Judged = { losses: Float32Array; likeliest: Int32Array };

/**
 * A model of which one group of layers is in memory at a time: the graph of a group is loaded, run for all batches, and given back. What goes from group to
 * group is kept, for the backward pass, in float16; each group's forward pass is computed again there (Chen et al. 2016).
 *
 * `flat` holds the factors B in the order of `adapterLayout`; the batches of one call are of one shape.
 */
export type StreamedModel = {
  judge(flat: Float32Array, shape: StreamShape, batches: readonly Batch[]): Promise<Judged[]>;
  /** For each batch the sum of weight * loss; and the gradient of all these sums together, added to `gradient`. */
  addGradient(
    gradient: Float32Array,
    flat: Float32Array,
    shape: StreamShape,
    batches: readonly (Batch | PackedBatch)[],
  ): Promise<Float32Array>;
  /** sha256 of the graphs of a shape, as training runs them. */
  digest(shape: StreamShape): string;
  close(): Promise<void>;
};

export type StreamOptions = {
  parts?: StreamParts | undefined;
  /** Bytes of the graphs that stay loaded, with their weights; the numbers do not depend on it. */
  staying?: number | undefined;
  signal?: AbortSignal | undefined;
};

type Feeds = Record<string, Tensor>;

export function streamedModel(
  checkpoint: Checkpoint,
  spec: AdapterSpec,
  options: Computing & StreamOptions,
): StreamedModel {
  const { config, folder } = checkpoint;
  const { signal, parts = STREAM_PARTS, staying, ...where } = options;
  const groups = layerGroups(config, parts);

  const sessions = openSessions({ ...where, folder }, staying);

  /** Runs a graph for each of the feeds. Outputs are in the order of the part. */
  const visit = (name: string, shape: StreamShape, build: () => Part, all: readonly Feeds[]): Promise<Tensor[][]> =>
    sessions.use(`${name} ${JSON.stringify(shape)}`, build, async (session) => {
      const results: Tensor[][] = [];
      for (const feeds of all) {
        signal?.throwIfAborted();
        results.push(outputsOf(session, await session.run(feeds)));
      }
      return results;
    });

  /** The borders of all batches: `borders[g][i]` goes into group g; the last go into the output layer. With `keep` false, only those. */
  const forward = async (flat: Float32Array, shape: StreamShape, batches: readonly Batch[], keep: boolean) => {
    const first = await visit(
      "embedding",
      shape,
      () => embedForward(checkpoint, shape),
      batches.map(({ tokens }) => ({ tokens: vector(tokens) })),
    );
    const borders = [first.map(only)];
    for (const group of groups) {
      const adapter = vector(flat.subarray(...groupSlice(config, spec, group)));
      const from = borders.at(-1) as Tensor[];
      const next = await visit(
        `forward ${group.first}`,
        shape,
        () => groupForward(checkpoint, spec, group, shape),
        batches.map((batch, i) => ({ x: from[i] as Tensor, adapter, ...placesOf(batch) })),
      );
      if (!keep) borders.pop();
      borders.push(next.map(only));
    }
    return borders;
  };

  const head = (last: readonly Tensor[], shape: StreamShape, batches: readonly Batch[]) =>
    visit(
      "head",
      shape,
      () => headForward(checkpoint, shape, parts),
      batches.map(({ labels }, i) => ({ x: last[i] as Tensor, labels: vector(labels) })),
    );

  return {
    async judge(flat, shape, batches) {
      const [last] = await forward(flat, shape, batches, false);
      const judged = await head(last as Tensor[], shape, batches);
      return judged.map(([losses, , likeliest]) => ({
        losses: floats(losses),
        likeliest: (likeliest as Tensor).data as Int32Array,
      }));
    },

    async addGradient(gradient, flat, shape, batches) {
      const borders = await forward(flat, shape, batches, true);
      const last = borders.pop() as Tensor[];
      const judged = await head(last, shape, batches);
      const backward = await visit(
        "head's gradient",
        shape,
        () => headBackward(checkpoint, shape, parts),
        batches.map(({ labels, weights }, i) => ({
          ...{ x: last[i] as Tensor, labels: vector(labels), weights: vector(weights) },
          normaliser: judged[i]?.[1] as Tensor,
        })),
      );
      let gradients = backward.map(only);
      for (const group of groups.toReversed()) {
        const [begin, end] = groupSlice(config, spec, group);
        const adapter = vector(flat.subarray(begin, end));
        const from = borders.pop() as Tensor[];
        const results = await visit(
          `gradient ${group.first}`,
          shape,
          () => groupBackward(checkpoint, spec, group, shape),
          batches.map((batch, i) => ({
            ...{ x: from[i] as Tensor, gradient: gradients[i] as Tensor, adapter, ...placesOf(batch) },
          })),
        );
        for (const [own] of results) addTo(gradient.subarray(begin, end), floats(own));
        gradients = results.flatMap(([, before]) => before ?? []);
      }
      return Float32Array.from(judged, ([losses], i) => weighted(floats(losses), (batches[i] as Batch).weights));
    },

    digest(shape) {
      const all = [
        embedForward(checkpoint, shape),
        ...groups.map((group) => groupForward(checkpoint, spec, group, shape)),
        headForward(checkpoint, shape, parts),
        headBackward(checkpoint, shape, parts),
        ...groups.map((group) => groupBackward(checkpoint, spec, group, shape)),
      ];
      const hash = createHash("sha256");
      for (const { graph, outputs } of all) hash.update(serialize(graph, outputs));
      return hash.digest("hex");
    },

    close: () => sessions.close(),
  };
}

/** Copies: the runtime's memory must not outlive its session. */
function outputsOf({ outputNames }: InferenceSession, results: InferenceSession.ReturnType): Tensor[] {
  return outputNames.map((name) => {
    const tensor = results[name] as Tensor;
    if (tensor.type === "float16") return halfTensor(halfBits(tensor), tensor.dims);
    return new Tensor(tensor.type, (tensor.data as Float32Array).slice(), tensor.dims);
  });
}

function vector(numbers: Float32Array | Int32Array): Tensor {
  return new Tensor(numbers, [numbers.length]);
}

function placesOf(batch: Batch | PackedBatch): Feeds {
  return "positions" in batch ? { positions: vector(batch.positions), segments: vector(batch.segments) } : {};
}

function only([tensor]: readonly Tensor[]): Tensor {
  return tensor as Tensor;
}

function floats(tensor: Tensor | undefined): Float32Array {
  return (tensor as Tensor).data as Float32Array;
}

function addTo(sum: Float32Array, part: Float32Array): void {
  for (const [i, number] of part.entries()) sum[i] = (sum[i] as number) + number;
}

/** In float64, position by position. */
function weighted(losses: Float32Array, weights: Float32Array): number {
  return losses.reduce((sum, loss, i) => sum + loss * (weights[i] as number), 0);
}
