import { flopsOf, type GraphMemory, memoryOf } from "../graph/cost.ts";
import type { Weights } from "../graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { fullRows, judgingGraph } from "../model/evaluator.ts";
import { worstLayouts } from "../model/packing.ts";
import { adapterParameters } from "../model/parameters.ts";
import { weightShapes } from "../model/weights.ts";
import { ADAM_DEFAULTS } from "./adamw.ts";
import { type StepShape, stepGraph } from "./step.ts";

export type PlannedTraining = {
  spec: AdapterSpec;
  /** Examples a batch. */
  batch: number;
  /** Tokens to which a batch is padded. */
  length: number;
  /** Batches a step. */
  accumulate: number;
  /** Whether the examples of a batch share rows; false by default. */
  packing?: boolean | undefined;
  /** Packed by default. */
  weights?: Weights | undefined;
  /** How many shapes the batches may have, each with a graph of its own; 1 by default. */
  shapes?: number | undefined;
  /** Whether examples are held out, which are judged in between; false by default. */
  heldOut?: boolean | undefined;
};

/** What training takes, from the graphs alone: nothing is run. Bytes and floating-point operations. */
export type TrainingPlan = {
  /** Numbers of the base, and those that are trained. */
  parameters: number;
  trained: number;
  /** The base's files. */
  disk: number;
  memory: {
    /** The base: mapped from its files, or widened from 16 bits. Of a streamed step, what is mapped at once. */
    base: number;
    /** The runtime's copies of matrices in the order of its kernels. */
    packed: number;
    /** What forward pass, backward pass and optimiser hold at once; of a streamed step, with what lies at the groups' borders. */
    activations: number;
    /** Parameters, moments and summed gradients, before and after a run, and the graph's own numbers. */
    state: number;
    /** The process itself, what the runtime's allocator holds beyond what is needed, the judging of what is held out, and a margin. */
    runtime: number;
    total: number;
  };
  /** What each further loaded graph takes, where batches have several shapes. */
  further: number;
  /** Of one step. */
  flops: number;
  /** Of the batches that this is the plan of: where examples share rows, of those that take the most memory. */
  shape: StepShape;
};

/** Bytes of an idle compute process; and what the allocator takes for each byte of activations. Measured on a CPU, rounded up. */
export const PROCESS = 160 * 2 ** 20;
const ARENA = 0.4;
/** A plan is no promise: what the process may take beyond it. */
export const MARGIN = 0.1;

/**
 * Plans the fused training step. Of a deep model only one and two layers are built: each further layer takes what the second does.
 */
export function planTraining(checkpoint: Checkpoint, planned: PlannedTraining): TrainingPlan {
  return worstShape(planned, (shape) => planShape(checkpoint, planned, shape));
}

/** The plan that takes the most memory, of all shapes that a training's batches may have. */
export function worstShape(
  { batch, length, packing = false }: PlannedTraining,
  plan: (shape: StepShape) => TrainingPlan,
): TrainingPlan {
  const shapes: StepShape[] = packing
    ? worstLayouts(batch, length).map(({ rows, length }) => ({ batch: rows, length, packed: true }))
    : [{ batch, length }];
  return shapes.map(plan).reduce((worst, next) => (next.memory.total > worst.memory.total ? next : worst));
}

function planShape(checkpoint: Checkpoint, planned: PlannedTraining, shape: StepShape): TrainingPlan {
  const { config } = checkpoint;
  const one = costOf(shallow(checkpoint, 1), planned, shape);
  const two = config.layers === 1 ? one : costOf(shallow(checkpoint, 2), planned, shape);
  const all = (part: (cost: Cost) => number) => part(one) + (config.layers - 1) * (part(two) - part(one));

  const trained = adapterSize(adapterLayout(config, planned.spec));
  const disk = bytesOnDisk(checkpoint);
  const judging = planned.heldOut === true ? planJudging(checkpoint, planned) : { total: disk + PROCESS, further: 0 };
  const widened = all((cost) => cost.widened);
  const base = disk + widened;
  const packed = planned.weights === "mapped" ? 0 : all((cost) => cost.packed);
  const activations = all((cost) => cost.activations);
  const constants = all((cost) => cost.constants);
  const state = constants + 2 * (planned.accumulate > 1 ? 4 : 3) * 4 * trained;
  const further = widened + packed + constants + (1 + ARENA) * activations + judging.further;
  const held = judging.total - disk - PROCESS;
  const runtime = PROCESS + ARENA * activations + held + MARGIN * (base + packed + activations + state + held);
  return {
    parameters: numbersOf(config),
    trained,
    disk,
    memory: { base, packed, activations, state, runtime, total: base + packed + activations + state + runtime },
    further,
    flops: planned.accumulate * all((cost) => cost.flops),
    shape,
  };
}

/** Bytes that judging examples of up to `length` tokens takes, with the whole model in memory; and what each further loaded graph takes. */
export function planJudging(
  checkpoint: Checkpoint,
  { spec, length, weights: placed = "packed" }: Pick<PlannedTraining, "spec" | "length" | "weights">,
): Pick<TrainingPlan, "further"> & { total: number } {
  const { config } = checkpoint;
  const part = (layers: number) => {
    const { graph, outputs } = judgingGraph(shallow(checkpoint, layers), spec, fullRows(length), length);
    return memoryOf(graph, outputs);
  };
  const [one, two] = [part(1), part(Math.min(2, config.layers))];
  const all = (name: keyof GraphMemory) => one[name] + (config.layers - 1) * (two[name] - one[name]);
  const trained = adapterSize(adapterLayout(config, spec));
  const matrices = all("widened") + (placed === "mapped" ? 0 : all("packed"));
  const further = matrices + (1 + ARENA) * all("activations") + all("constants");
  return { total: PROCESS + (1 + MARGIN) * (bytesOnDisk(checkpoint) + further + 8 * trained), further };
}

/** Of the base's files. */
export function bytesOnDisk({ weights }: Checkpoint): number {
  return [...weights.values()].reduce((sum, { bytes, scales }) => sum + bytes + (scales?.bytes ?? 0), 0);
}

type Cost = { flops: number; widened: number; packed: number; constants: number; activations: number };

function costOf(checkpoint: Checkpoint, { spec, accumulate }: PlannedTraining, shape: StepShape): Cost {
  const size = adapterSize(adapterLayout(checkpoint.config, spec));
  const { graph, parts } = stepGraph(
    {
      config: checkpoint.config,
      size,
      parameters: (graph, flat) => adapterParameters(graph, checkpoint, spec, flat),
    },
    shape,
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

export function numbersOf(config: ModelConfig): number {
  return weightShapes(config).reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
}
