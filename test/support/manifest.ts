import type { Manifest } from "../../protocol/manifest.ts";

/** A small valid manifest. */
export function someManifest(): Manifest {
  return {
    format: "flock.manifest.1",
    name: "Two domains",
    base: { name: "tiny", files: [{ path: "model.safetensors", sha256: `0x${"1".repeat(64)}`, bytes: 1000 }] },
    adapter: {
      rank: 8,
      alpha: 16,
      targets: ["q_proj", "v_proj"],
      seed: `0x${"2".repeat(64)}`,
      exponent: 20,
      maxNorm: 4.5,
    },
    aggregation: { cap: { num: 1, den: 1 }, rate: { num: 1, den: 2 } },
    scoring: {
      unit: 0.0001,
      examples: 512,
      perDomain: 128,
      confidence: 1.64,
      scan: { prompts: 24, tokens: 64, margin: 0.5 },
    },
    domains: ["sums", "words"],
    public: [
      { domain: "sums", sha256: `0x${"3".repeat(64)}`, rows: 1000 },
      { domain: "words", sha256: `0x${"4".repeat(64)}`, rows: 1000 },
    ],
    maxTokens: 128,
  };
}
