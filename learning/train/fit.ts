import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { PermanentError } from "../../protocol/errors.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { STAYING } from "../streamed/sessions.ts";
import { type PlannedTraining, planJudging, planTraining, type TrainingPlan } from "./plan.ts";
import type { Form } from "./stepper.ts";
import { planStreamed } from "./streamedPlan.ts";

/** Bytes of memory that this process may use: the machine's, or its container's; `most` if that is less. */
export function availableMemory(most = Number.POSITIVE_INFINITY): number {
  const constrained = constrainedMemory();
  return Math.min(most, totalmem(), constrained > 0 ? constrained : totalmem());
}

/** How a training fits into `available` bytes: in the form of the plan, or else what batch would; none if not even one example does. */
export type Fit = {
  form: Form;
  plan: TrainingPlan;
  fits: boolean;
  largestBatch: number | undefined;
  /** Of the streamed form, bytes of the graphs that may stay loaded: what is left over, nearly. */
  staying: number;
};

/** The fused step if it fits, for it is faster; else the streamed one. */
export function fit(checkpoint: Checkpoint, planned: PlannedTraining, available: number): Fit {
  const at = (batch: number): Fit => {
    const fused = planTraining(checkpoint, { ...planned, batch });
    const whole: Fit = { form: "fused", plan: fused, fits: true, largestBatch: batch, staying: 0 };
    if (fused.memory.total <= available) return whole;
    const plan = planStreamed(checkpoint, { ...planned, batch });
    const left = available - plan.memory.total;
    const staying = STAYING + Math.max(0, Math.floor(0.8 * left));
    return { form: "streamed", plan, fits: left >= 0, largestBatch: batch, staying };
  };
  const whole = at(planned.batch);
  if (whole.fits) return whole;
  if (!at(1).fits) return { ...whole, largestBatch: undefined };
  let [most, least] = [planned.batch, 1];
  while (most - least > 1) {
    const middle = Math.floor((most + least) / 2);
    if (at(middle).fits) least = middle;
    else most = middle;
  }
  return { ...whole, largestBatch: least };
}

/** The form in which examples of up to `length` tokens are judged in `available` bytes: the streamed one takes what it takes. */
export function judgingForm(
  checkpoint: Checkpoint,
  planned: Pick<PlannedTraining, "spec" | "length" | "weights">,
  available: number,
): Form {
  return planJudging(checkpoint, planned) <= available ? "fused" : "streamed";
}

/**
 * The form in which a training fits, and what of it may stay loaded.
 * @throws PermanentError if it does in none, with what would.
 */
export function requireFit(
  checkpoint: Checkpoint,
  planned: PlannedTraining,
  available: number,
): Pick<Fit, "form" | "staying"> {
  const { form, plan, fits, largestBatch, staying } = fit(checkpoint, planned, available);
  if (fits) return { form, staying };
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const needs = `Training ${planned.batch} examples of ${planned.length} tokens at once${planned.packing === true ? ", packed," : ""} takes ${gibibytes(plan.memory.total)} of memory, and there are ${gibibytes(available)}`;
  if (largestBatch === undefined) {
    throw new PermanentError(`${needs}; not even one fits: train shorter examples, or on a larger machine.`);
  }
  const accumulate = Math.ceil((planned.batch * planned.accumulate) / largestBatch);
  throw new PermanentError(
    `${needs}; training.batch ${largestBatch} with training.accumulate ${accumulate} would fit and take steps of as many examples.`,
  );
}
