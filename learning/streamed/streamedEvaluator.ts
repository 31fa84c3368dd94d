import type { Computing } from "../graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { type Evaluator, evaluatorOf } from "../model/evaluator.ts";
import { type StreamOptions, streamedModel } from "./streamedModel.ts";

/** Judges a base of which one group of layers is in memory at a time. */
export function openStreamedEvaluator(
  checkpoint: Checkpoint,
  spec: AdapterSpec,
  options: Computing & StreamOptions,
): Evaluator {
  const { config } = checkpoint;
  const model = streamedModel(checkpoint, spec, options);
  return evaluatorOf(
    { config, size: adapterSize(adapterLayout(config, spec)) },
    async (flat, { rows, length }, batches) => {
      const judged = await model.judge(flat, { batch: rows, length }, batches);
      return judged.map(({ losses, likeliest }, b) => {
        const weights = batches[b]?.weights as Float32Array;
        const sums = new Float32Array(rows);
        for (const [i, loss] of losses.entries()) {
          const row = Math.floor(i / length);
          sums[row] = (sums[row] as number) + loss * (weights[i] as number);
        }
        return { losses: sums, likeliest };
      });
    },
    () => model.close(),
  );
}
