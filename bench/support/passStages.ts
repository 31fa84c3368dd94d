import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { TOLERANCE } from "../../workers/cli/mergedModel.ts";

/** What is done to a model, in this order, each in a process of its own. */
export const STAGES = ["generate", "quantise", "train", "export", "validate", "merged"] as const;
export type Stage = (typeof STAGES)[number];

export type PassTask = {
  stage: Stage;
  folder: string;
  hfConfig: object;
  steps: number;
  length: number;
  threads: number;
};
/** Losses in nats a token: of each training step, or of each example that was judged. */
export type StageRun = { seconds: number; peakBytes: number; losses: number[] };

/**
 * The largest difference of an example's loss between base with factors and the model that they were merged into.
 * @throws PermanentError if it is more than rounding to 16 bits explains, or a loss is no number.
 */
export function comparePass({ validate, merged }: Pick<Record<Stage, StageRun>, "validate" | "merged">): number {
  const differences = validate.losses.map((loss, i) => Math.abs(loss - (merged.losses[i] ?? Number.NaN)));
  const largest = Math.max(...differences);
  if (differences.length > 0 && largest <= TOLERANCE.half) return largest;
  throw new PermanentError(
    `The merged model's losses (${merged.losses.join(", ")}) differ from those of base and factors (${validate.losses.join(", ")}) by more than rounding explains (${TOLERANCE.half}).`,
    { exitCode: ExitCode.difference },
  );
}
