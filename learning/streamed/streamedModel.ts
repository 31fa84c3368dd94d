import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { Tensor } from "onnxruntime-node";
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
  digest(shape: StreamShape): Promise<string>;
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

  /**
   * Runs a graph for each of the batches, and hands over each result before the next: what is not kept of it is gone. Outputs are in the order of the part and
   * lie in the runtime's memory, which must not outlive its session.
   */
  const visit = (
    { name, shape, build }: { name: string; shape: StreamShape; build: () => Part },
    batches: readonly Batch[],
    feeds: (i: number) => Feeds,
    take: (result: readonly Tensor[], i: number) => void,
  ): Promise<void> =>
    sessions.use(`${name} ${JSON.stringify(shape)}`, build, async (session) => {
      for (const i of batches.keys()) {
        signal?.throwIfAborted();
        const results = await session.run(feeds(i));
        const inOrder = session.outputNames.map((output) => results[output] as Tensor);
        take(inOrder, i);
      }
    });

  /** The borders of all batches: `borders[g][i]` goes into group g; the last go into the output layer. With `keep` false, only those. */
  const forward = async (flat: Float32Array, shape: StreamShape, batches: readonly Batch[], keep: boolean) => {
    const first: Tensor[] = [];
    await visit(
      { name: "embedding", shape, build: () => embedForward(checkpoint, shape) },
      batches,
      (i) => ({ tokens: vector((batches[i] as Batch).tokens) }),
      ([border]) => first.push(copyOf(border)),
    );
    const borders = [first];
    for (const group of groups) {
      const adapter = vector(flat.subarray(...groupSlice(config, spec, group)));
      const from = borders.at(-1) as Tensor[];
      const next = keep ? new Array<Tensor>(batches.length) : from;
      await visit(
        { name: `forward ${group.first}`, shape, build: () => groupForward(checkpoint, spec, group, shape) },
        batches,
        (i) => ({ x: from[i] as Tensor, adapter, ...placesOf(batches[i] as Batch) }),
        ([border], i) => {
          next[i] = copyOf(border);
        },
      );
      if (keep) borders.push(next);
    }
    return borders;
  };

  const head = (
    last: readonly Tensor[],
    shape: StreamShape,
    batches: readonly Batch[],
    take: (result: readonly Tensor[]) => void,
  ) =>
    visit(
      { name: "head", shape, build: () => headForward(checkpoint, shape, parts) },
      batches,
      (i) => ({ x: last[i] as Tensor, labels: vector((batches[i] as Batch).labels) }),
      take,
    );

  return {
    async judge(flat, shape, batches) {
      const [last] = await forward(flat, shape, batches, false);
      const judged: Judged[] = [];
      await head(last as Tensor[], shape, batches, ([losses, , likeliest]) => {
        judged.push({ losses: floats(copyOf(losses)), likeliest: copyOf(likeliest).data as Int32Array });
      });
      return judged;
    },

    async addGradient(gradient, flat, shape, batches) {
      const borders = await forward(flat, shape, batches, true);
      const sums: number[] = [];
      // Of each batch what goes back to the group before: first the output layer's input, then the gradient by it, and so on downwards.
      const back = borders.pop() as Tensor[];
      const normalisers: Tensor[] = [];
      await head(back, shape, batches, ([losses, normaliser]) => {
        sums.push(weighted(floats(losses), (batches[sums.length] as Batch).weights));
        normalisers.push(copyOf(normaliser));
      });
      await visit(
        { name: "head's gradient", shape, build: () => headBackward(checkpoint, shape, parts) },
        batches,
        (i) => {
          const { labels, weights } = batches[i] as Batch;
          const normaliser = normalisers[i] as Tensor;
          return { x: back[i] as Tensor, labels: vector(labels), weights: vector(weights), normaliser };
        },
        ([before], i) => {
          back[i] = copyOf(before);
        },
      );
      for (const group of groups.toReversed()) {
        const [begin, end] = groupSlice(config, spec, group);
        const adapter = vector(flat.subarray(begin, end));
        const sum = gradient.subarray(begin, end);
        const from = borders.pop() as Tensor[];
        await visit(
          { name: `gradient ${group.first}`, shape, build: () => groupBackward(checkpoint, spec, group, shape) },
          batches,
          (i) => {
            const places = placesOf(batches[i] as Batch);
            return { x: from[i] as Tensor, gradient: back[i] as Tensor, adapter, ...places };
          },
          ([own, before], i) => {
            addTo(sum, floats(own));
            if (before !== undefined) back[i] = copyOf(before);
          },
        );
      }
      return Float32Array.from(sums);
    },

    async digest(shape) {
      const hash = createHash("sha256");
      for (const build of [
        () => embedForward(checkpoint, shape),
        ...groups.map((group) => () => groupForward(checkpoint, spec, group, shape)),
        () => headForward(checkpoint, shape, parts),
        () => headBackward(checkpoint, shape, parts),
        ...groups.map((group) => () => groupBackward(checkpoint, spec, group, shape)),
      ]) {
        // One at a time, for they are large together; and others have their turn in between.
        const { graph, outputs } = build();
        hash.update(serialize(graph, outputs));
        await setImmediate();
      }
      return hash.digest("hex");
    },

    close: () => sessions.close(),
  };
}

/** In memory of our own. */
function copyOf(output: Tensor | undefined): Tensor {
  const tensor = output as Tensor;
  if (tensor.type === "float16") return halfTensor(halfBits(tensor), tensor.dims);
  return new Tensor(tensor.type, (tensor.data as Float32Array).slice(), tensor.dims);
}

function vector(numbers: Float32Array | Int32Array): Tensor {
  return new Tensor(numbers, [numbers.length]);
}

function placesOf(batch: Batch | PackedBatch): Feeds {
  return "positions" in batch ? { positions: vector(batch.positions), segments: vector(batch.segments) } : {};
}

function floats(tensor: Tensor | undefined): Float32Array {
  return (tensor as Tensor).data as Float32Array;
}

function addTo(sum: Float32Array, part: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (part[i] as number);
}

/** In float64, position by position. */
function weighted(losses: Float32Array, weights: Float32Array): number {
  return losses.reduce((sum, loss, i) => sum + loss * (weights[i] as number), 0);
}
