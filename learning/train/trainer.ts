import { builtAnew, type Graphs } from "../graph/graphs.ts";
import type { Computing, Device } from "../graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Sequence } from "../model/batches.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { openEvaluator } from "../model/evaluator.ts";
import { adapterParameters, baseFacts } from "../model/parameters.ts";
import { STREAM_PARTS } from "../streamed/groups.ts";
import { openStreamedEvaluator } from "../streamed/streamedEvaluator.ts";
import { ADAM_DEFAULTS } from "./adamw.ts";
import { type EarlyStop, watchHeldOut } from "./earlyStop.ts";
import { type Progress, runTraining, type TrainingJob } from "./engine.ts";
import { fusedStepper } from "./fusedStepper.ts";
import { jobDigest, readState, type Saved, writeState } from "./savedState.ts";
import type { Schedule } from "./schedule.ts";
import type { Trainable } from "./step.ts";
import type { Form } from "./stepper.ts";
import { streamedStepper } from "./streamedStepper.ts";

export type TrainParameters = Computing & {
  checkpoint: Checkpoint;
  spec: AdapterSpec;
  /** The factors B to start from, in the order of `adapterLayout`: the head. */
  start: Float32Array;
  examples: readonly Sequence[];
  steps: number;
  /** Examples a batch. */
  batch: number;
  /** Batches a step, whose gradients are summed; 1 by default. */
  accumulate?: number | undefined;
  /** Whether the examples of a batch share rows; false by default. */
  packing?: boolean | undefined;
  /** Constant after a linear rise over `warmup` steps, or falling along a cosine. */
  learningRate: number;
  warmup?: Schedule["warmup"];
  decay?: Schedule["decay"];
  weightDecay?: number | undefined;
  /** Gradients longer than this are shortened to it. */
  clipNorm?: number | undefined;
  /** Orders the examples. */
  seed: string;
  /** The whole step as one graph, the default, or one group of layers at a time. */
  form?: Form | undefined;
  /** Of the fused form, how many graphs stay loaded; of the streamed form, bytes of those that do. The numbers do not depend on it. */
  loaded?: number | undefined;
  staying?: number | undefined;
  stepsPerRun?: number | undefined;
  /** Gives the graphs of the fused form; made anew by default. */
  graphs?: Graphs | undefined;
  /** Steps between two looks at the held-out examples and two saved states. */
  every?: number | undefined;
  /** Examples that are not trained on: training ends when `patience` looks in a row found nothing better, and gives the best. */
  heldOut?: { examples: readonly Sequence[]; patience: number } | undefined;
  /** Keeps the state, so that an interrupted training goes on where it was. */
  saving?: { save: (bytes: Uint8Array) => Promise<void>; saved?: Uint8Array | undefined } | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
};

export type Trained = {
  /** The factors B after training. What is proposed is the difference from `start`. */
  flat: Float32Array;
  /** Of each step's batches before the step, in nats a completion token. */
  losses: number[];
  /** Mean loss of the held-out examples at each look, in nats a token; empty without them. */
  heldOut: number[];
  /** Step from which it went on. */
  resumedAt: number;
  /** sha256 of the graph that was run. */
  graph: string;
  form: Form;
  device: Device;
};

/** Steps between two looks and two saved states. */
const EVERY = 50;

/**
 * Trains the adapter's factors B on a frozen base by AdamW; see `runTraining` for what is repeatable and what is thrown.
 * A saved state of another job is not used.
 */
export async function train(parameters: TrainParameters): Promise<Trained> {
  const { checkpoint, spec, start, device, form = "fused", seed, saving } = parameters;
  const { every = EVERY, heldOut, onProgress, signal } = parameters;
  const { examples, steps, batch, accumulate, packing } = parameters;
  const { learningRate: rate, warmup, decay, weightDecay = 0, clipNorm } = parameters;
  const size = adapterSize(adapterLayout(checkpoint.config, spec));
  const schedule = { rate, warmup, decay };
  const adam = { ...ADAM_DEFAULTS, weightDecay, clipNorm };

  const digest = digestOf(parameters);
  const saved = saving?.saved === undefined ? undefined : readState(saving.saved, digest, "the saved state");
  const watch = heldOut && (await openWatch(parameters, heldOut, saved));
  const job: TrainingJob = {
    ...{ start, examples, steps, batch, accumulate, packing, schedule, adam, seed, onProgress, signal },
    ...(form === "fused" ? fused(parameters, size) : streamed(parameters)),
    ...{ config: checkpoint.config, size },
    from: saved?.state,
  };
  if (watch !== undefined || saving !== undefined) {
    const visit: NonNullable<TrainingJob["pause"]>["visit"] = async (state) => {
      const verdict = (await watch?.look(state.parameters)) ?? "go on";
      if (verdict === "go on") await saving?.save(writeState(digest, { state, watched: watch?.watched() }));
      return verdict;
    };
    job.pause = { every, visit };
  }
  try {
    const result = await runTraining(job);
    if (watch !== undefined && result.losses.length % every !== 0) await watch.look(result.parameters);
    const watched = watch?.watched();
    return {
      flat: watched?.best ?? result.parameters,
      losses: result.losses,
      heldOut: [...(watched?.losses ?? [])],
      resumedAt: saved?.state.losses.length ?? 0,
      graph: result.graph,
      form,
      device,
    };
  } finally {
    await watch?.close();
  }
}

function computing({ device, gpu, threads, spinning, weights }: Computing): Computing {
  return { device, gpu, threads, spinning, weights };
}

function fused({ checkpoint, spec, stepsPerRun, graphs = builtAnew, loaded, ...rest }: TrainParameters, size: number) {
  const about = baseFacts(checkpoint, spec);
  const trainable: Trainable = {
    ...{ config: checkpoint.config, size },
    parameters: (graph, flat) => adapterParameters(graph, checkpoint, spec, flat),
  };
  const known: Graphs = (facts, build) => graphs([about, facts], build);
  const options = { ...computing(rest), folder: checkpoint.folder, graphs: known, loaded };
  return { stepper: fusedStepper(trainable, options), stepsPerRun };
}

/** A step of this form is long: there is a report after each, and it stops within one. */
function streamed({ checkpoint, spec, accumulate = 1, staying, signal, ...rest }: TrainParameters) {
  const stepper = streamedStepper(checkpoint, spec, { ...computing(rest), staying, signal });
  return { stepper, stepsPerRun: accumulate };
}

/** Measures the held-out examples with the base opened for judging. */
async function openWatch(
  { checkpoint, spec, graphs, form = "fused", loaded, signal, ...rest }: TrainParameters,
  { examples, patience }: NonNullable<TrainParameters["heldOut"]>,
  saved: Saved | undefined,
): Promise<EarlyStop & { close(): Promise<void> }> {
  const options = computing(rest);
  const evaluator =
    form === "fused"
      ? await openEvaluator(checkpoint, spec, { ...options, graphs, loaded })
      : openStreamedEvaluator(checkpoint, spec, { ...options, signal });
  const mean = async (flat: Float32Array) =>
    (await evaluator.losses(flat, examples)).reduce((sum, loss) => sum + loss, 0) / examples.length;
  return { ...watchHeldOut(mean, { patience, from: saved?.watched }), close: () => evaluator.close() };
}

/** Of everything that decides the bits but the base, which a task has only one of, and the processor. */
function digestOf(parameters: TrainParameters): Buffer {
  const { checkpoint, spec, start, examples, heldOut, device, form = "fused" } = parameters;
  // What is streamed is always mapped; where its borders lie decides the bits.
  const how = form === "fused" ? { form, weights: parameters.weights ?? "packed" } : { form, parts: STREAM_PARTS };
  const { steps, batch, accumulate, packing, learningRate, warmup, decay, weightDecay, clipNorm, seed, every } =
    parameters;
  const schedule = { steps, learningRate, warmup, decay, seed, every };
  const options = { ...schedule, batch, accumulate, packing, weightDecay, clipNorm, device, ...how };
  const prompts = (sequences: readonly Sequence[]) => sequences.map(({ promptLength }) => promptLength);
  const facts = {
    ...{ config: checkpoint.config, spec, options, patience: heldOut?.patience },
    ...{ prompts: prompts(examples), heldOut: prompts(heldOut?.examples ?? []) },
  };
  const sequences = [...examples, ...(heldOut?.examples ?? [])];
  return jobDigest(facts, [start, ...sequences.map(({ tokens }) => tokens)]);
}
