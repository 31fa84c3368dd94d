import type { Computing } from "../graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { type Evaluator, evaluatorOf, POSITIONS } from "../model/evaluator.ts";
import { type StreamOptions, streamedModel } from "./streamedModel.ts";

/** Bytes of the batches that go through the model together, at a border between groups. */
const BORDER = 1 << 28;

/** Judges a base of which one group of layers is in memory at a time. */
export function openStreamedEvaluator(
  checkpoint: Checkpoint,
  spec: AdapterSpec,
  options: Computing & StreamOptions,
): Evaluator {
  const { config } = checkpoint;
  // What lies at a border takes no more than this.
  const together = Math.max(1, Math.floor(BORDER / (2 * POSITIONS * config.hidden)));
  const model = streamedModel(checkpoint, spec, options);
  return evaluatorOf(
    { config, size: adapterSize(adapterLayout(config, spec)), together },
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
