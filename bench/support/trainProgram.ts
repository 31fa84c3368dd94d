import { adapterLayout, adapterSize } from "../../learning/model/adapter.ts";
import { openCheckpoint } from "../../learning/model/checkpoint.ts";
import { TARGETS } from "../../learning/model/weights.ts";
import { Stream } from "../../learning/random.ts";
import { train } from "../../learning/train/trainer.ts";
import type { Run, TrainTask } from "./trainers.ts";

/** A process that trains once and prints its run as JSON. */
const { folder, batch, length, rank, steps, warm, threads } = JSON.parse(process.argv[2] as string) as TrainTask;
const checkpoint = await openCheckpoint(folder);
const spec = { rank, alpha: 2 * rank, targets: TARGETS, seed: "bench" };
const stream = new Stream("bench", "sequences");
const times: number[] = [];
await train({
  ...{ checkpoint, spec, batch, threads, spinning: true, device: "cpu", learningRate: 1e-3, seed: "bench" },
  ...{ steps: warm + steps, stepsPerRun: warm },
  start: new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec))),
  examples: Array.from({ length: 4 * batch }, () => ({
    tokens: Int32Array.from({ length: length + 1 }, () => stream.below(checkpoint.config.vocabulary)),
    promptLength: 1,
  })),
  onProgress: () => times.push(performance.now()),
});
const result: Run = {
  secondsPerStep: ((times.at(-1) as number) - (times[0] as number)) / 1000 / steps,
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
console.log(JSON.stringify(result));
