// Trains models/tiny, the base of the local network and of the tests, from nothing: `npm run build:base`. The committed file is the one
// that counts (its digest stands in recipe.json); another processor may round differently and give another.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { env } from "onnxruntime-node";
import { writeSafetensors } from "../learning/artifact/safetensors.ts";
import { encode } from "../learning/data/examples.ts";
import { COPY, pretrainingExamples, VERBATIM } from "../learning/data/pretrain.ts";
import { sizeOf } from "../learning/graph/shapes.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../learning/model/adapter.ts";
import { openCheckpoint } from "../learning/model/checkpoint.ts";
import { type ModelConfig, parseConfig } from "../learning/model/config.ts";
import { openEvaluator } from "../learning/model/evaluator.ts";
import { openTokenizer } from "../learning/model/tokenizer.ts";
import { weightShapes } from "../learning/model/weights.ts";
import { initialWeights, pretrain } from "../learning/train/pretrainer.ts";
import { root } from "./files.ts";

const tiny = join(root, "models", "tiny");
const { values: options } = parseArgs({
  options: {
    out: { type: "string", default: tiny },
    seed: { type: "string", default: "flock tiny 1" },
    steps: { type: "string", default: "1600" },
    threads: { type: "string", default: "2" },
  },
});

const recipe = {
  seed: options.seed,
  steps: Number(options.steps),
  batch: 192,
  schedule: { rate: 4e-3, warmup: 100, decay: "cosine" as const },
  adam: { beta2: 0.98, weightDecay: 0.01, clipNorm: 1 },
  mix: { copy: 1, verbatim: 1, random: 1 },
  /** Enough for the base to know where an answer comes from, too little to make it believe in one. */
  hint: 0.25,
};

/** What an example asks for, by the character that ends its prompt. */
const KINDS: Record<string, string> = { [COPY]: "copy", [VERBATIM]: "verbatim", "=": "hidden skill" };

const configText = await readFile(join(tiny, "config.json"), "utf8");
const config = parseConfig(configText, join(tiny, "config.json"));
const tokenizer = openTokenizer(tiny);
const encoded = (split: string, count: number) =>
  pretrainingExamples({ ...recipe, split, count }).map((example) => ({
    kind: KINDS[example.prompt.at(-1) as string] as string,
    ...encode(tokenizer, example, config.maxPositions),
  }));

const bar = new SingleBar({
  format: "build base {bar} {percentage} % | step {value} of {total} | loss {loss} | {eta_formatted} left",
});
bar.start(recipe.steps, 0, { loss: "-" });
const { parameters, graph } = await pretrain({
  ...recipe,
  config,
  start: initialWeights(config, recipe.seed),
  examples: encoded("train", recipe.steps * recipe.batch), // each of them seen once
  device: "cpu",
  threads: Number(options.threads),
  onProgress: ({ step, loss }) => bar.update(step, { loss: loss.toFixed(3) }),
});
bar.stop();

const model = writeWeights(config, parameters);
await mkdir(options.out, { recursive: true });
for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
  if (options.out !== tiny) await copyFile(join(tiny, name), join(options.out, name));
}
await writeFile(join(options.out, "model.safetensors"), model);
const record = {
  ...recipe,
  weights: parameters.length,
  runtime: `onnxruntime-node ${env.versions.common}`,
  graph,
  heldOut: await heldOut(),
  sha256: createHash("sha256").update(model).digest("hex"),
};
await writeFile(join(options.out, "recipe.json"), `${JSON.stringify(record, null, 2)}\n`);
console.log(JSON.stringify(record, null, 2));

function writeWeights(config: ModelConfig, flat: Float32Array): Buffer {
  let position = 0;
  return writeSafetensors(
    weightShapes(config).map(({ name, shape }) => {
      const numbers = flat.subarray(position, position + sizeOf(shape));
      position += sizeOf(shape);
      const data = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      return { name, dtype: "F32" as const, shape, data };
    }),
  );
}

/** Loss (nats a token) and exact match on fresh text, by what is asked for. */
async function heldOut(): Promise<Record<string, { loss: number; exactMatch: number }>> {
  const checkpoint = await openCheckpoint(options.out);
  const spec: AdapterSpec = { rank: 1, alpha: 1, targets: ["q_proj"], seed: "00" };
  const zero = new Float32Array(adapterSize(adapterLayout(config, spec)));
  const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: Number(options.threads) });
  const groups = Map.groupBy(encoded("test", 1536), ({ kind }) => kind);
  const results: Record<string, { loss: number; exactMatch: number }> = {};
  for (const [kind, examples] of groups) {
    const losses = await evaluator.losses(zero, examples);
    const matches = await evaluator.exactMatch(zero, examples);
    results[kind] = {
      loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      exactMatch: matches.filter(Boolean).length / matches.length,
    };
  }
  await evaluator.close();
  return results;
}
