import { createHash } from "node:crypto";
import type { Computing } from "../graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../model/adapter.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { type StreamOptions, streamedModel } from "../streamed/streamedModel.ts";
import { batchOf, scalarsOf } from "./feeds.ts";
import { openOptimizer } from "./optimizer.ts";
import { distinct, type OpenStepper } from "./stepper.ts";

/** Group of layers by group of layers: the batches of a step go through each group together, then AdamW moves. */
export function streamedStepper(
  checkpoint: Checkpoint,
  spec: AdapterSpec,
  options: Computing & StreamOptions,
): OpenStepper {
  const size = adapterSize(adapterLayout(checkpoint.config, spec));
  return (plan) => {
    const { accumulate, adam } = plan;
    const model = streamedModel(checkpoint, spec, options);
    const optimizer = openOptimizer(size, adam, options);
    return {
      async run({ first, end, shape }, carried) {
        let { state } = carried;
        const sum = carried.gradient?.slice() ?? new Float32Array(size);
        const losses = new Float32Array(end - first);
        for (let pass = first; pass < end; ) {
          const last = Math.min(end, pass - (pass % accumulate) + accumulate);
          const batches = Array.from({ length: last - pass }, (_, i) => batchOf(plan, pass + i, shape.length));
          losses.set(await model.addGradient(sum, state.parameters, shape, batches), pass - first);
          if (last % accumulate === 0) {
            state = await optimizer.step(state, sum, scalarsOf(plan, last / accumulate - 1));
            sum.fill(0);
          }
          pass = last;
        }
        return { state, gradient: carried.gradient && sum, losses };
      },
      async digest(shapes) {
        const hash = createHash("sha256");
        for (const shape of distinct(shapes)) hash.update(await model.digest(shape));
        return hash.digest("hex");
      },
      async close() {
        await optimizer.close();
        await model.close();
      },
    };
  };
}
