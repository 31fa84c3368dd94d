import { adapterLayout, adapterSize } from "../../learning/model/adapter.ts";
import { openCheckpoint } from "../../learning/model/checkpoint.ts";
import { TARGETS } from "../../learning/model/weights.ts";
import { Stream } from "../../learning/random.ts";
import { train } from "../../learning/train/trainer.ts";

export type StreamTask = {
  folder: string;
  batch: number;
  length: number;
  rank: number;
  steps: number;
  threads: number;
};

/** The mean of all steps but the first, and the most memory that the process ever held, mapped files included. */
export type StreamRun = { secondsPerStep: number; peakBytes: number };

/** A process that trains one group of layers at a time and prints its run as JSON. */
const { folder, batch, length, rank, steps, threads } = JSON.parse(process.argv[2] as string) as StreamTask;
const checkpoint = await openCheckpoint(folder);
const spec = { rank, alpha: 2 * rank, targets: TARGETS, seed: "bench" };
const stream = new Stream("bench", "sequences");
const times = [performance.now()];
await train({
  ...{ checkpoint, spec, batch, threads, device: "cpu", form: "streamed", learningRate: 1e-3, seed: "bench", steps },
  start: new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec))),
  examples: Array.from({ length: batch }, () => ({
    tokens: Int32Array.from({ length: length + 1 }, () => stream.below(checkpoint.config.vocabulary)),
    promptLength: 1,
  })),
  onProgress: () => times.push(performance.now()),
});
const counted = steps > 1 ? 1 : 0;
const run: StreamRun = {
  secondsPerStep: ((times.at(-1) as number) - (times[counted] as number)) / 1000 / (steps - counted),
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
console.log(JSON.stringify(run));
