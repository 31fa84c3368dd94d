import { flopsOf, type GraphMemory, memoryOf } from "../graph/cost.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { fullRows, judgingGraph } from "../model/evaluator.ts";
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
    /** The base: mapped from its files, or widened from 16 bits. Of a streamed step, what is mapped at once. */
    base: number;
    /** The runtime's copies of matrices in the order of its kernels. */
    packed: number;
    /** What forward pass, backward pass and optimiser hold at once; of a streamed step, with what lies at the groups' borders. */
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
export const PROCESS = 160 * 2 ** 20;
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

/** Bytes that judging examples of up to `length` tokens takes, with the whole model in memory. */
export function planJudging(checkpoint: Checkpoint, spec: AdapterSpec, length: number): number {
  const { config, weights } = checkpoint;
  const part = (layers: number) => {
    const { graph, outputs } = judgingGraph(shallow(checkpoint, layers), spec, fullRows(length), length);
    return memoryOf(graph, outputs);
  };
  const [one, two] = [part(1), part(Math.min(2, config.layers))];
  const all = (name: keyof GraphMemory) => one[name] + (config.layers - 1) * (two[name] - one[name]);
  const disk = [...weights.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const trained = adapterSize(adapterLayout(config, spec));
  return (
    PROCESS + disk + all("widened") + all("packed") + (1 + ARENA) * all("activations") + all("constants") + 8 * trained
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

export function numbersOf(config: ModelConfig): number {
  return weightShapes(config).reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
}
