import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { PermanentError } from "../../protocol/errors.ts";
import { flopsOf, memoryOf } from "../graph/cost.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { adapterParameters } from "../model/parameters.ts";
import { weightShapes } from "../model/weights.ts";
import { ADAM_DEFAULTS } from "./adamw.ts";
import { stepGraph } from "./step.ts";

export type PlannedTraining = {
  spec: AdapterSpec;
  /** Examples a batch. */
  batch: number;
  /** Tokens to which a batch is padded. */
  length: number;
  /** Batches a step. */
  accumulate: number;
};

/** What training takes, from the graphs alone: nothing is run. Bytes and floating-point operations. */
export type TrainingPlan = {
  /** Numbers of the base, and those that are trained. */
  parameters: number;
  trained: number;
  /** The base's files. */
  disk: number;
  memory: {
    /** The base: mapped from its files, or widened from 16 bits. */
    base: number;
    /** The runtime's copies of matrices in the order of its kernels. */
    packed: number;
    /** What forward pass, backward pass and optimiser hold at once. */
    activations: number;
    /** Parameters, moments and summed gradients, before and after a run, and the graph's own numbers. */
    state: number;
    /** The process itself, and what the runtime's allocator holds beyond what is needed. */
    runtime: number;
    total: number;
  };
  /** Of one step. */
  flops: number;
};

/** Bytes of an idle compute process; and what the allocator takes for each byte of activations. Measured on a CPU, rounded up. */
const PROCESS = 160 * 2 ** 20;
const ARENA = 0.4;

/**
 * Plans the fused training step. Of a deep model only one and two layers are built: each further layer takes what the second does.
 */
export function planTraining(checkpoint: Checkpoint, planned: PlannedTraining): TrainingPlan {
  const { config, weights } = checkpoint;
  const one = costOf(shallow(checkpoint, 1), planned);
  const two = config.layers === 1 ? one : costOf(shallow(checkpoint, 2), planned);
  const all = (part: (cost: Cost) => number) => part(one) + (config.layers - 1) * (part(two) - part(one));

  const trained = adapterSize(adapterLayout(config, planned.spec));
  const disk = [...weights.values()].reduce((sum, { bytes, scales }) => sum + bytes + (scales?.bytes ?? 0), 0);
  const base = disk + all((cost) => cost.widened);
  const packed = all((cost) => cost.packed);
  const activations = all((cost) => cost.activations);
  const state = all((cost) => cost.constants) + 2 * (planned.accumulate > 1 ? 4 : 3) * 4 * trained;
  const runtime = PROCESS + ARENA * activations;
  return {
    parameters: numbersOf(config),
    trained,
    disk,
    memory: { base, packed, activations, state, runtime, total: base + packed + activations + state + runtime },
    flops: planned.accumulate * all((cost) => cost.flops),
  };
}

/** Bytes of memory that this process may use: the machine's, or its container's. */
export function availableMemory(): number {
  const constrained = constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/**
 * Whether a training fits into `available` bytes, and if not, the largest batch that does: none if not even one example fits.
 */
export function fit(
  checkpoint: Checkpoint,
  planned: PlannedTraining,
  available: number,
): { plan: TrainingPlan; fits: boolean; largestBatch: number | undefined } {
  const fits = (batch: number) => planTraining(checkpoint, { ...planned, batch }).memory.total <= available;
  const plan = planTraining(checkpoint, planned);
  if (plan.memory.total <= available) return { plan, fits: true, largestBatch: planned.batch };
  if (!fits(1)) return { plan, fits: false, largestBatch: undefined };
  let [most, least] = [planned.batch, 1];
  while (most - least > 1) {
    const middle = Math.floor((most + least) / 2);
    if (fits(middle)) least = middle;
    else most = middle;
  }
  return { plan, fits: false, largestBatch: least };
}

/** @throws PermanentError if a training does not fit, with what would. */
export function requireFit(checkpoint: Checkpoint, planned: PlannedTraining, available: number): void {
  const { plan, fits, largestBatch } = fit(checkpoint, planned, available);
  if (fits) return;
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const needs = `Training ${planned.batch} examples of ${planned.length} tokens at once takes ${gibibytes(plan.memory.total)} of memory, and there are ${gibibytes(available)}`;
  if (largestBatch === undefined) {
    throw new PermanentError(`${needs}; not even one fits: train shorter examples, or on a larger machine.`);
  }
  const accumulate = Math.ceil((planned.batch * planned.accumulate) / largestBatch);
  throw new PermanentError(
    `${needs}; training.batch ${largestBatch} with training.accumulate ${accumulate} would fit and take steps of as many examples.`,
  );
}

type Cost = { flops: number; widened: number; packed: number; constants: number; activations: number };

function costOf(checkpoint: Checkpoint, { spec, batch, length, accumulate }: PlannedTraining): Cost {
  const size = adapterSize(adapterLayout(checkpoint.config, spec));
  const { graph, parts } = stepGraph(
    {
      config: checkpoint.config,
      size,
      parameters: (graph, flat) => adapterParameters(graph, checkpoint, spec, flat),
    },
    { batch, length },
    ADAM_DEFAULTS,
    { accumulate: accumulate > 1 },
  );
  const outputs = [...parts.carried.map(({ after }) => after), ...Object.values(parts.collected)];
  return { flops: flopsOf(graph), ...memoryOf(graph, outputs) };
}

/** The same model with its first layers only. */
function shallow(checkpoint: Checkpoint, layers: number): Checkpoint {
  return { ...checkpoint, config: { ...checkpoint.config, layers } };
}

function numbersOf(config: ModelConfig): number {
  return weightShapes(config).reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
}
