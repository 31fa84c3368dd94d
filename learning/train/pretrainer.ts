import type { Device } from "../graph/session.ts";
import { sizeOf } from "../graph/shapes.ts";
import type { Sequence } from "../model/batches.ts";
import type { ModelConfig } from "../model/config.ts";
import { fullParameters } from "../model/parameters.ts";
import { weightShapes } from "../model/weights.ts";
import { Stream } from "../random.ts";
import { ADAM_DEFAULTS, type AdamOptions } from "./adamw.ts";
import { type Progress, runTraining, type TrainingResult } from "./engine.ts";
import { fusedStepper } from "./fusedStepper.ts";
import type { Schedule } from "./schedule.ts";
import type { Trainable } from "./step.ts";

export type PretrainParameters = {
  config: ModelConfig;
  /** All weights in the order of `weightShapes`. */
  start: Float32Array;
  examples: readonly Sequence[];
  steps: number;
  batch: number;
  schedule: Schedule;
  adam?: Partial<AdamOptions> | undefined;
  seed: string;
  device: Device;
  threads: number;
  stepsPerRun?: number | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
};

/** Trains all weights of a model, by the engine that trains adapters. Meant for small bases. */
export function pretrain({ config, adam, device, threads, ...rest }: PretrainParameters): Promise<TrainingResult> {
  const trainable: Trainable = {
    ...{ config, size: modelSize(config) },
    parameters: (graph, flat) => fullParameters(graph, config, flat),
  };
  return runTraining({
    ...rest,
    ...{ config, size: trainable.size },
    stepper: fusedStepper(trainable, { device, threads }),
    adam: { ...ADAM_DEFAULTS, ...adam },
  });
}

/** Number of weights. */
export function modelSize(config: ModelConfig): number {
  return weightShapes(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Random weights to start from: matrices normal with deviation 1 / sqrt(inputs), norms 1, biases 0; in the order of `weightShapes`. */
export function initialWeights(config: ModelConfig, seed: string): Float32Array {
  const parts = weightShapes(config).map(({ name, shape }) => {
    const stream = new Stream(seed, name);
    const deviation = 1 / Math.sqrt(shape[shape.length - 1] as number);
    if (shape.length === 1) return Array.from({ length: sizeOf(shape) }, () => (name.endsWith(".bias") ? 0 : 1));
    return Array.from({ length: sizeOf(shape) }, () => deviation * stream.normal());
  });
  return Float32Array.from(parts.flat());
}
