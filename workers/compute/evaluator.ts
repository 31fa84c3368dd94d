import type { Graphs } from "../../learning/graph/graphs.ts";
import type { Computing } from "../../learning/graph/session.ts";
import type { AdapterSpec } from "../../learning/model/adapter.ts";
import { bucketOf } from "../../learning/model/batches.ts";
import type { Checkpoint } from "../../learning/model/checkpoint.ts";
import { type Evaluator, openEvaluator } from "../../learning/model/evaluator.ts";
import { STAYING } from "../../learning/streamed/sessions.ts";
import { openStreamedEvaluator } from "../../learning/streamed/streamedEvaluator.ts";
import { fitJudging } from "../../learning/train/fit.ts";
import type { Form } from "../../learning/train/stepper.ts";

export type FittingOptions = Computing & {
  graphs?: Graphs | undefined;
  /** Tokens of the longest example. */
  longest: number;
  /** Bytes of memory there are. */
  available: number;
  signal?: AbortSignal | undefined;
};

/** Judges with the whole base in memory if it fits, else with a group of its layers at a time. */
export async function openFittingEvaluator(
  checkpoint: Checkpoint,
  spec: AdapterSpec,
  { longest, available, graphs, signal, ...options }: FittingOptions,
): Promise<{ evaluator: Evaluator; form: Form }> {
  const length = bucketOf(longest, checkpoint.config);
  const { form, loaded } = fitJudging(checkpoint, { spec, length, weights: options.weights }, available);
  const evaluator =
    form === "fused"
      ? await openEvaluator(checkpoint, spec, { ...options, graphs, loaded })
      : openStreamedEvaluator(checkpoint, spec, { ...options, staying: Math.max(STAYING, available / 2), signal });
  return { evaluator, form };
}
