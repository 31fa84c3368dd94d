import type { Device } from "../graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Sequence } from "../model/batches.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { adapterParameters } from "../model/parameters.ts";
import { ADAM_DEFAULTS } from "./adamw.ts";
import { type Progress, runTraining } from "./engine.ts";
import type { Schedule } from "./schedule.ts";

export type TrainParameters = {
  checkpoint: Checkpoint;
  spec: AdapterSpec;
  /** The factors B to start from, in the order of `adapterLayout`: the head. */
  start: Float32Array;
  examples: readonly Sequence[];
  steps: number;
  /** Examples a step. */
  batch: number;
  /** Constant after a linear rise over `warmup` steps, or falling along a cosine. */
  learningRate: number;
  warmup?: Schedule["warmup"];
  decay?: Schedule["decay"];
  weightDecay?: number | undefined;
  /** Orders the examples. */
  seed: string;
  device: Device;
  threads: number;
  stepsPerRun?: number | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
};

export type Trained = {
  /** The factors B after training. What is proposed is the difference from `start`. */
  flat: Float32Array;
  /** Of each step's batch before the step, in nats a completion token. */
  losses: number[];
  /** sha256 of the graph that was run. */
  graph: string;
  device: Device;
};

/** Trains the adapter's factors B on a frozen base by AdamW; see `runTraining` for what is repeatable and what is thrown. */
export async function train(parameters: TrainParameters): Promise<Trained> {
  const {
    checkpoint,
    spec,
    start,
    learningRate,
    warmup,
    decay,
    weightDecay = 0,
    device,
    threads,
    ...rest
  } = parameters;
  const size = adapterSize(adapterLayout(checkpoint.config, spec));
  const result = await runTraining({
    ...rest,
    start,
    trainable: {
      config: checkpoint.config,
      size,
      parameters: (graph, flat) => adapterParameters(graph, checkpoint, spec, flat),
    },
    schedule: { rate: learningRate, warmup, decay },
    adam: { ...ADAM_DEFAULTS, weightDecay },
    session: { device, threads, folder: checkpoint.folder },
  });
  return { flat: result.parameters, losses: result.losses, graph: result.graph, device };
}
