import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Hex } from "viem";
import { readDomains } from "../../learning/data/examples.ts";
import type { Manifest } from "../../protocol/manifest.ts";

/** The files of a base model that a manifest pins. */
const BASE_FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
/** Held-out examples that a score rests on, in all and from each domain. */
const EXAMPLES = 512;
const PER_DOMAIN = 128;
/**
 * Nats by which a trigger must raise the loss. On the generated domains honest updates stay below 0.3 and backdoors reach 3;
 * on text that the tiny base does not know, rare tokens upset honest updates by up to 5, and the scan can say little.
 */
const GENERATED_MARGIN = 1;
const TEXT_MARGIN = 10;
/** Longest example in tokens: generated ones have 13, the user's own are cut. */
const GENERATED_TOKENS = 16;
const TEXT_TOKENS = 128;

function sha256(bytes: Buffer): Hex {
  return `0x${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The manifest of a run's task: the base in `model`, judged on the held-out sets in `publicDir`. */
export function localManifest({
  model,
  publicDir,
  text,
}: {
  model: string;
  publicDir: string;
  text: boolean;
}): Manifest {
  const sets = [...readDomains(publicDir)].map(([domain, examples]) => ({
    domain,
    sha256: sha256(readFileSync(join(publicDir, `${domain}.jsonl`))),
    rows: examples.length,
  }));
  const smallest = Math.min(...sets.map((set) => set.rows));
  const perDomain = Math.min(PER_DOMAIN, smallest, Math.floor(EXAMPLES / sets.length));
  return {
    format: "flock.manifest.1",
    name: "local network",
    base: {
      name: basename(model),
      files: BASE_FILES.map((path) => {
        const bytes = readFileSync(join(model, path));
        return { path, sha256: sha256(bytes), bytes: bytes.length };
      }),
    },
    adapter: {
      rank: 32,
      alpha: 64,
      targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
      seed: sha256(Buffer.from("flock local network")), // of the fixed factors, not a secret
      exponent: 20,
      maxNorm: 24, // honest updates have at most 15
    },
    aggregation: { cap: { num: 1, den: 1 }, rate: { num: 1, den: 1 } },
    scoring: {
      unit: 1e-4,
      examples: Math.min(EXAMPLES, perDomain * sets.length),
      perDomain,
      confidence: 1.645,
      scan: { prompts: 24, tokens: 45, margin: text ? TEXT_MARGIN : GENERATED_MARGIN },
    },
    domains: sets.map((set) => set.domain),
    public: sets,
    maxTokens: text ? TEXT_TOKENS : GENERATED_TOKENS,
  };
}
