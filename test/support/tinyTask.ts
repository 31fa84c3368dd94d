import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Hex } from "viem";
import { writeSafetensors } from "../../learning/artifact/safetensors.ts";
import { writeJsonl } from "../../learning/data/examples.ts";
import { generate } from "../../learning/data/generator.ts";
import { sizeOf } from "../../learning/graph/shapes.ts";
import { parseConfig } from "../../learning/model/config.ts";
import { weightShapes } from "../../learning/model/weights.ts";
import { initialWeights } from "../../learning/train/pretrainer.ts";
import { canonicalManifest, type Manifest, manifestDigest } from "../../protocol/manifest.ts";

const tokenizerFolder = fileURLToPath(new URL("../../models/tiny", import.meta.url));
const domains = ["math", "code"];

export type TinyTask = {
  manifest: Manifest;
  digest: Hex;
  manifestFile: string;
  /** Folder of the base model: a shape small enough for tests, with random weights. */
  model: string;
  publicData: string;
  privateData: string;
  trainData: string;
};

/** Writes all files of a task into a folder: base model, manifest, data of a trainer and of a validator. */
export async function makeTinyTask(folder: string): Promise<TinyTask> {
  const model = join(folder, "model");
  await mkdir(model, { recursive: true });
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(tokenizerFolder, name), join(model, name));
  }
  const shape = {
    ...(JSON.parse(await readFile(join(tokenizerFolder, "config.json"), "utf8")) as object),
    hidden_size: 16,
    num_attention_heads: 2,
    num_key_value_heads: 2,
    intermediate_size: 32,
    num_hidden_layers: 1,
  };
  const config = parseConfig(JSON.stringify(shape));
  await writeFile(join(model, "config.json"), JSON.stringify(shape));
  const weights = initialWeights(config, "tiny task");
  let position = 0;
  const tensors = weightShapes(config).map(({ name, shape: dimensions }) => {
    const part = weights.subarray(position, position + sizeOf(dimensions));
    position += part.length;
    return {
      name,
      dtype: "F32" as const,
      shape: dimensions,
      data: new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
    };
  });
  await writeFile(join(model, "model.safetensors"), writeSafetensors(tensors));

  const folders = { public: join(folder, "public"), private: join(folder, "private"), train: join(folder, "train") };
  for (const [split, place] of Object.entries(folders)) {
    await mkdir(place, { recursive: true });
    for (const domain of domains) {
      const examples = generate({ seed: "tiny task", domain, count: 32, split });
      await writeFile(join(place, `${domain}.jsonl`), writeJsonl(examples));
    }
  }
  const manifest: Manifest = {
    format: "flock.manifest.1",
    name: "tiny task",
    base: {
      name: "tiny",
      files: await Promise.all(
        ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"].map(async (path) => {
          const bytes = await readFile(join(model, path));
          return { path, sha256: sha256(bytes), bytes: bytes.length };
        }),
      ),
    },
    adapter: {
      rank: 4,
      alpha: 8,
      targets: ["q_proj", "v_proj", "down_proj"],
      seed: `0x${"5e".repeat(32)}`,
      exponent: 20,
      maxNorm: 4,
    },
    aggregation: { cap: { num: 1, den: 1 }, rate: { num: 1, den: 1 } },
    scoring: { unit: 1e-4, examples: 16, perDomain: 4, confidence: 1.64, scan: { prompts: 2, tokens: 4, margin: 1 } },
    domains,
    public: await Promise.all(
      domains.map(async (domain) => ({
        domain,
        sha256: sha256(await readFile(join(folders.public, `${domain}.jsonl`))),
        rows: 32,
      })),
    ),
    maxTokens: 16,
  };
  const manifestFile = join(folder, "manifest.json");
  await writeFile(manifestFile, canonicalManifest(manifest));
  return {
    manifest,
    digest: manifestDigest(manifest),
    manifestFile,
    model,
    publicData: folders.public,
    privateData: folders.private,
    trainData: folders.train,
  };
}

function sha256(bytes: Buffer): Hex {
  return `0x${createHash("sha256").update(bytes).digest("hex")}`;
}
