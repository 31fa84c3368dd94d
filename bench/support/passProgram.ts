import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { safetensorsHeader } from "../../learning/artifact/safetensors.ts";
import { writeMerge } from "../../learning/export/merge.ts";
import { planMerge } from "../../learning/export/mergePlan.ts";
import { writePeft } from "../../learning/export/peft.ts";
import { sizeOf } from "../../learning/graph/shapes.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../learning/model/adapter.ts";
import { type Checkpoint, openCheckpoint } from "../../learning/model/checkpoint.ts";
import { parseConfig } from "../../learning/model/config.ts";
import { TARGETS, weightShapes } from "../../learning/model/weights.ts";
import { Stream } from "../../learning/random.ts";
import { openStreamedEvaluator } from "../../learning/streamed/streamedEvaluator.ts";
import { train } from "../../learning/train/trainer.ts";
import { quantiseFolder } from "../../workers/cli/quantisedFolder.ts";
import type { PassTask, Stage, StageRun } from "./passStages.ts";

/** A process that does one stage of a pass over a model and prints its run as JSON. The stages leave their work in one folder. */
const task = JSON.parse(process.argv[2] as string) as PassTask;
const source = join(task.folder, "source");
const base = join(task.folder, "base");
const merged = join(task.folder, "merged");
const factors = join(task.folder, "factors");
const spec: AdapterSpec = { rank: 8, alpha: 16, targets: TARGETS, seed: "pass" };

/** What each stage does; the losses where it computes some. */
const work: Record<Stage, () => Promise<number[]>> = {
  /** Random bfloat16 weights of either sign, of the size that trained ones have. */
  async generate() {
    const text = JSON.stringify(task.hfConfig);
    await writeFile(join(source, "config.json"), text);
    const tensors = weightShapes(parseConfig(text)).map((tensor) => ({ ...tensor, dtype: "BF16" as const }));
    const file = await open(join(source, "model.safetensors"), "w");
    const chunk = 1 << 20;
    const stream = new Stream("pass", "weights");
    const ones = new Uint16Array(chunk).fill(0x3f80);
    // Exponents of 2^-8 to 2^-5: magnitudes from 0.004 to 0.06.
    const small = Uint16Array.from({ length: chunk }, () => {
      const bits = stream.below(1 << 10);
      return ((bits & 1) << 15) | ((119 + ((bits >> 1) & 3)) << 7) | (bits >> 3);
    });
    try {
      await file.appendFile(safetensorsHeader(tensors));
      for (const { shape } of tensors) {
        const numbers = shape.length === 1 ? ones : small;
        for (let left = sizeOf(shape); left > 0; left -= chunk) {
          await file.appendFile(new Uint8Array(numbers.buffer, 0, 2 * Math.min(left, chunk)));
        }
      }
    } finally {
      await file.close();
    }
    return [];
  },

  async quantise() {
    await quantiseFolder({ model: source, out: base, signal: new AbortController().signal, onProgress: () => {} });
    return [];
  },

  async train() {
    const checkpoint = await openCheckpoint(base);
    const { losses, flat } = await train({
      ...{ checkpoint, spec, device: "cpu", threads: task.threads, form: "streamed", batch: 2, seed: "pass" },
      ...{ steps: task.steps, learningRate: 1e-3, start: zeros(checkpoint), examples: examples(checkpoint, 2) },
    });
    await writeFile(factors, flat);
    return [...losses];
  },

  async export() {
    const checkpoint = await openCheckpoint(base);
    const flat = await trained();
    const { config, weights } = writePeft(adapterLayout(checkpoint.config, spec), spec, { flat, base: "pass" });
    await writeFile(join(task.folder, "adapter_config.json"), config);
    await writeFile(join(task.folder, "adapter_model.safetensors"), weights);
    await writeMerge(await planMerge({ model: base, checkpoint, spec, flat }), merged);
    return [];
  },

  async validate() {
    return judge(await openCheckpoint(base), await trained());
  },

  /** The model that was exported, without an adapter. */
  async merged() {
    const checkpoint = await openCheckpoint(merged);
    return judge(checkpoint, zeros(checkpoint));
  },
};

async function judge(checkpoint: Checkpoint, flat: Float32Array): Promise<number[]> {
  const evaluator = openStreamedEvaluator(checkpoint, spec, { device: "cpu", threads: task.threads });
  try {
    return [...(await evaluator.losses(flat, examples(checkpoint, 4)))];
  } finally {
    await evaluator.close();
  }
}

function zeros({ config }: Checkpoint): Float32Array {
  return new Float32Array(adapterSize(adapterLayout(config, spec)));
}

async function trained(): Promise<Float32Array> {
  return new Float32Array(Uint8Array.from(await readFile(factors)).buffer);
}

function examples({ config }: Checkpoint, count: number) {
  const stream = new Stream("pass", "sequences");
  return Array.from({ length: count }, () => ({
    tokens: Int32Array.from({ length: task.length + 1 }, () => stream.below(config.vocabulary)),
    promptLength: 1,
  }));
}

const begin = performance.now();
const losses = await work[task.stage]();
const run: StageRun = {
  seconds: (performance.now() - begin) / 1000,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  losses,
};
console.log(JSON.stringify(run));
