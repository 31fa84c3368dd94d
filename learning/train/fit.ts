import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { PermanentError } from "../../protocol/errors.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { STAYING } from "../streamed/sessions.ts";
import { LOADED } from "./fusedStepper.ts";
import { MARGIN, type PlannedTraining, planJudging, planTraining, type TrainingPlan } from "./plan.ts";
import type { Form } from "./stepper.ts";
import { planStreamed } from "./streamedPlan.ts";

/** Bytes of memory that this process may use: the machine's, or its container's; `most` if that is less. */
export function availableMemory(most = Number.POSITIVE_INFINITY): number {
  const constrained = constrainedMemory();
  return Math.min(most, totalmem(), constrained > 0 ? constrained : totalmem());
}

/** How a training fits into `available` bytes: in the form of the plan, or else what would; nothing if not even one example does. */
export type Fit = {
  form: Form;
  plan: TrainingPlan;
  fits: boolean;
  /** Steps of at least as many examples that fit, in as large batches as there can be. */
  instead: { batch: number; accumulate: number } | undefined;
  /** Of the fused form, how many graphs may stay loaded. */
  loaded: number;
  /** Of the streamed form, bytes of the graphs that may stay loaded: what is left over, nearly. */
  staying: number;
};

/** The fused step if it fits, for it is faster; else the streamed one. */
export function fit(checkpoint: Checkpoint, planned: PlannedTraining, available: number): Fit {
  const whole = fitAsIs(checkpoint, planned, available);
  if (whole.fits) return whole;
  const examples = planned.batch * planned.accumulate;
  const as = (batch: number) => ({ batch, accumulate: Math.ceil(examples / batch) });
  const fits = (batch: number) => fitAsIs(checkpoint, { ...planned, ...as(batch) }, available).fits;
  if (!fits(1)) return whole;
  let [most, least] = [planned.batch, 1];
  while (most - least > 1) {
    const middle = Math.floor((most + least) / 2);
    if (fits(middle)) least = middle;
    else most = middle;
  }
  return { ...whole, instead: as(least) };
}

function fitAsIs(checkpoint: Checkpoint, planned: PlannedTraining, available: number): Fit {
  const fused = planTraining(checkpoint, planned);
  if (fused.memory.total <= available) {
    const loaded = loadedIn(available - fused.memory.total, fused.further, planned.shapes ?? 1);
    return { form: "fused", plan: fused, fits: true, instead: undefined, loaded, staying: 0 };
  }
  const plan = planStreamed(checkpoint, planned);
  const left = available - plan.memory.total;
  const staying = STAYING + Math.max(0, Math.floor(0.8 * left));
  return { form: "streamed", plan, fits: left >= 0, instead: undefined, loaded: 0, staying };
}

/** How many graphs may stay loaded where `left` bytes are left over by the first. */
function loadedIn(left: number, further: number, shapes: number): number {
  return Math.min(LOADED, shapes, 1 + Math.floor(left / ((1 + MARGIN) * further)));
}

/** The form in which examples of up to `length` tokens are judged in `available` bytes, and how many graphs may stay loaded; the streamed form takes what it takes. */
export function fitJudging(
  checkpoint: Checkpoint,
  planned: Pick<PlannedTraining, "spec" | "length" | "weights">,
  available: number,
): Pick<Fit, "form" | "loaded"> {
  const { total, further } = planJudging(checkpoint, planned);
  if (total > available) return { form: "streamed", loaded: 0 };
  return { form: "fused", loaded: loadedIn(available - total, further, LOADED) };
}

/**
 * The form in which a training fits, and what of it may stay loaded.
 * @throws PermanentError if it does in none, with what would.
 */
export function requireFit(
  checkpoint: Checkpoint,
  planned: PlannedTraining,
  available: number,
): Pick<Fit, "form" | "loaded" | "staying"> {
  const { form, plan, fits, instead, loaded, staying } = fit(checkpoint, planned, available);
  if (fits) return { form, loaded, staying };
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const needs = `Training ${planned.batch} examples of ${planned.length} tokens at once${planned.packing === true ? ", packed," : ""} takes ${gibibytes(plan.memory.total)} of memory, and there are ${gibibytes(available)}`;
  if (instead === undefined) {
    throw new PermanentError(
      `${needs}; steps of as many examples fit in no batch: take smaller steps or shorter examples, or a larger machine.`,
    );
  }
  throw new PermanentError(
    `${needs}; training.batch ${instead.batch} with training.accumulate ${instead.accumulate} would fit and take steps of at least as many examples.`,
  );
}
