import { PermanentError } from "../../protocol/errors.ts";
import { bucketFor, type Sequence } from "../model/batches.ts";
import type { ModelConfig } from "../model/config.ts";
import { packedLayout } from "../model/packing.ts";
import type { AdamOptions } from "./adamw.ts";
import { type OptimizerState, type Plan, sequencesOf } from "./feeds.ts";
import { batchOrder } from "./order.ts";
import type { Schedule } from "./schedule.ts";
import type { StepShape } from "./step.ts";
import { keyOf, type OpenStepper } from "./stepper.ts";

export type Progress = { step: number; steps: number; loss: number };

/** Where a training stands after a number of steps, one loss each. The same job goes on from here to the same bits. */
export type TrainingState = OptimizerState & { losses: readonly number[] };

export type TrainingJob = {
  config: ModelConfig;
  /** Computes the passes. */
  stepper: OpenStepper;
  /** Numbers that are trained, as one vector. */
  size: number;
  start: Float32Array;
  examples: readonly Sequence[];
  steps: number;
  /** Examples a batch. */
  batch: number;
  /** Batches a step, whose gradients are summed before the optimiser moves; each has its own length. 1 by default. */
  accumulate?: number | undefined;
  /** Whether the examples of a batch share rows, each seeing itself only: the same training with less padding. */
  packing?: boolean | undefined;
  schedule: Schedule;
  adam: AdamOptions;
  seed: string;
  /** Batches between two reports; more of them in one go keep the state on the device longer. */
  stepsPerRun?: number | undefined;
  /** Goes on from here instead of from `start`. */
  from?: TrainingState | undefined;
  /** Looks at the state after every `every` steps, and ends the training by saying "stop". */
  pause?: { every: number; visit: (state: TrainingState) => Promise<"go on" | "stop"> } | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
};

export type TrainingResult = {
  parameters: Float32Array;
  /** Mean loss of each step's batches before the step, in nats a completion token. */
  losses: number[];
  /** sha256 of the graphs that were run, in the order of their lengths and rows. */
  graph: string;
};

/**
 * Trains. The same job gives the same bits on every run, for every number of threads and whether it was interrupted or not, on processors of one kind with
 * one version of the runtime.
 *
 * @throws PermanentError for examples that do not fit the model, or if the loss stops being a number. The signal's reason if it is aborted.
 */
export async function runTraining(job: TrainingJob): Promise<TrainingResult> {
  checkJob(job);
  const {
    config,
    size,
    start,
    examples,
    steps,
    batch,
    accumulate = 1,
    packing = false,
    schedule,
    adam,
    seed,
    pause,
    signal,
    stepsPerRun = 8,
  } = job;
  const passes = steps * accumulate;
  const order = batchOrder(examples.length, passes, batch, seed);
  const plan: Plan = { examples, order, batch, accumulate, steps, schedule, adam };
  const lengths = examples.map((example) => bucketFor(example, config));
  const lengthOf = (pass: number) => Math.max(...(order[pass] as number[]).map((i) => lengths[i] as number));
  if (packing) plan.layoutOf = (pass) => packedLayout(sequencesOf(plan, pass), lengthOf(pass));
  const shapes = Array.from({ length: passes }, (_, pass): StepShape => {
    if (plan.layoutOf === undefined) return { batch, length: lengthOf(pass) };
    const { rows, length } = plan.layoutOf(pass);
    return { batch: rows, length, packed: true };
  });
  const shapeOf = (pass: number) => shapes[pass] as StepShape;

  const stepper = job.stepper(plan);
  const zeros = () => new Float32Array(size);
  let state: OptimizerState = job.from ?? { parameters: start, mean: zeros(), square: zeros() };
  let gradient: Float32Array | undefined = accumulate > 1 ? zeros() : undefined;
  const losses = [...(job.from?.losses ?? [])];
  let pass = losses.length * accumulate;
  let partial = 0; // loss of the step's batches so far
  try {
    while (pass < passes) {
      signal?.throwIfAborted();
      const shape = shapeOf(pass); // What follows in the same shape goes into the same run, up to the next pause.
      const nextPause =
        pause === undefined ? passes : pass + accumulate * pause.every - (pass % (accumulate * pause.every));
      const most = Math.min(passes, pass + stepsPerRun, nextPause);
      let end = pass + 1;
      while (end < most && keyOf(shapeOf(end)) === keyOf(shape)) end++;

      const result = await stepper.run({ first: pass, end, shape }, { state, gradient });
      ({ state, gradient } = result);
      for (const loss of result.losses) {
        partial += loss;
        if (++pass % accumulate !== 0) continue;
        losses.push(partial);
        partial = 0;
      }

      const loss = losses.at(-1) ?? 0;
      if (!Number.isFinite(loss) || !Number.isFinite(partial)) {
        throw new PermanentError(`The loss is no number any more at step ${losses.length}; lower the learning rate.`);
      }
      if (losses.length > 0) job.onProgress?.({ step: losses.length, steps, loss });
      if (pause !== undefined && pass === nextPause && (await pause.visit({ ...state, losses })) === "stop") break;
    }
  } finally {
    await stepper.close();
  }
  // A copy: the runtime's memory must not outlive its session.
  return { parameters: state.parameters.slice(), losses, graph: await stepper.digest(shapes.slice(0, pass)) };
}

function checkJob({ size, start, examples, steps, batch, accumulate = 1, schedule, from, pause }: TrainingJob): void {
  for (const vector of [start, ...(from === undefined ? [] : [from.parameters, from.mean, from.square])]) {
    if (vector.length === size) continue;
    throw new PermanentError(`Training starts from ${vector.length} numbers, but the model has ${size}.`);
  }
  if (examples.length === 0) throw new PermanentError("There is no example to train on.");
  for (const [name, value] of Object.entries({ steps, batch, accumulate, "pauses every": pause?.every ?? 1 })) {
    if (!Number.isInteger(value) || value < 1)
      throw new PermanentError(`Training needs ${name} of at least 1, not ${value}.`);
  }
  if (from !== undefined && from.losses.length > steps) {
    throw new PermanentError(`Training stands at step ${from.losses.length}, but has only ${steps}.`);
  }
  if (!(schedule.rate > 0) || schedule.rate > 1) {
    throw new PermanentError(`The learning rate ${schedule.rate} is not in (0, 1].`);
  }
}
