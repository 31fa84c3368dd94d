import { once } from "node:events";
import { adapterLayout, adapterSize } from "../../learning/model/adapter.ts";
import { openCheckpoint } from "../../learning/model/checkpoint.ts";
import { train } from "../../learning/train/trainer.ts";

/** A process that trains one step on the base of its command line, says so to its parent while the base is in memory, and keeps it until it is told to end. */
const [folder, weights] = process.argv.slice(2) as [string, "packed" | "mapped"];
const checkpoint = await openCheckpoint(folder);
const spec = { rank: 1, alpha: 1, targets: ["q_proj"], seed: "holder" };
await train({
  ...{ checkpoint, spec, device: "cpu", threads: 1, weights, learningRate: 1e-3, seed: "holder" },
  ...{ steps: 1, batch: 1, every: 1 },
  start: new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec))),
  examples: [{ tokens: Int32Array.from({ length: 9 }, (_, i) => i), promptLength: 1 }],
  saving: {
    async save() {
      const told = once(process, "message");
      process.send?.("holds");
      await told;
    },
  },
});
process.disconnect();
