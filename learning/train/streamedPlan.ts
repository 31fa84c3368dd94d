import { flopsOf, memoryOf } from "../graph/cost.ts";
import { adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { headBackward, headForward } from "../streamed/ends.ts";
import { groupBackward, groupForward, layerGroups, STREAM_PARTS, type StreamParts } from "../streamed/groups.ts";
import { type Part, STAYING } from "../streamed/sessions.ts";
import {
  bytesOnDisk,
  MARGIN,
  numbersOf,
  type PlannedTraining,
  PROCESS,
  type TrainingPlan,
  worstShape,
} from "./plan.ts";
import type { StepShape } from "./step.ts";

/** What the heap takes for each byte of activations, where the runtime's arena does not manage it. Measured on a CPU. */
const HEAP = 1.6;

/** Plans the streamed training step. Of the groups only the first, the second and the last are built: those between are like the second. */
export function planStreamed(
  checkpoint: Checkpoint,
  planned: PlannedTraining,
  parts: StreamParts = STREAM_PARTS,
): TrainingPlan {
  return worstShape(planned, (shape) => planShape(checkpoint, planned, shape, parts));
}

function planShape(
  checkpoint: Checkpoint,
  { spec, accumulate, shapes = 1, heldOut = false }: PlannedTraining,
  shape: StepShape,
  parts: StreamParts,
): TrainingPlan {
  const { config } = checkpoint;
  const groups = layerGroups(config, parts);
  const ends = [headForward(checkpoint, shape, parts), headBackward(checkpoint, shape, parts)].map(costOf);
  const built = [...new Set([groups[0], groups[1], groups.at(-1)])].filter((group) => group !== undefined);
  const groupCosts = built.map((group) =>
    [groupForward(checkpoint, spec, group, shape), groupBackward(checkpoint, spec, group, shape)].map(costOf),
  );
  const all = [...ends, ...groupCosts.flat()];
  const most = (part: keyof Cost) => Math.max(...all.map((cost) => cost[part]));
  const between = groups.length - built.length;
  const sum = (part: keyof Cost) =>
    all.reduce((total, cost) => total + cost[part], 0) +
    between * (groupCosts[1] ?? []).reduce((total, cost) => total + cost[part], 0);

  const trained = adapterSize(adapterLayout(config, spec));
  const disk = bytesOnDisk(checkpoint);
  const states = accumulate * shape.batch * shape.length * config.hidden;
  // The graphs of all shapes stay loaded as long as they are small together, and those that judge what is held out beside them.
  const graphs = shapes * (sum("external") + sum("constants"));
  const base = (heldOut ? 2 : 1) * (graphs <= STAYING ? graphs : STAYING + most("external"));
  // A border is float16; the gradient at one is float32, twice.
  const activations = HEAP * most("activations") + states * (2 * (groups.length + 1) + 8);
  // Parameters, moments and gradient, before and after; a graph's own numbers as they are made, written down and loaded.
  const state = 8 * 4 * trained + 3 * most("constants");
  const runtime = PROCESS + MARGIN * (base + activations + state);
  return {
    parameters: numbersOf(config),
    ...{ trained, disk, further: 0, flops: accumulate * sum("flops"), shape },
    memory: { base, packed: 0, activations, state, runtime, total: base + activations + state + runtime },
  };
}

type Cost = { flops: number; external: number; constants: number; activations: number };

function costOf({ graph, outputs }: Part): Cost {
  // A matrix in 4 bits is there twice: copied for the forward pass, and mapped for the backward pass.
  const external = graph.externals.reduce((sum, { bytes }) => sum + bytes, 0);
  return { flops: flopsOf(graph), ...memoryOf(graph, outputs, { mapped: true }), external };
}
