import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { encode } from "../../../learning/data/examples.ts";
import { GENERATED_DOMAINS, generate } from "../../../learning/data/generator.ts";
import { pretrainingExamples } from "../../../learning/data/pretrain.ts";
import { adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { openTokenizer } from "../../../learning/model/tokenizer.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "models", "tiny");
const tokenizer = openTokenizer(folder);
const spec = { rank: 1, alpha: 1, targets: ["q_proj"], seed: "0" };

describe("the tiny base", () => {
  it("is the one that its recipe records", async () => {
    const recipe = JSON.parse(await readFile(join(folder, "recipe.json"), "utf8")) as { sha256: string };
    const bytes = await readFile(join(folder, "model.safetensors"));
    assert.equal(createHash("sha256").update(bytes).digest("hex"), recipe.sha256);
  });

  it("has its tokenizer's vocabulary and end token", async () => {
    const { config } = await openCheckpoint(folder);
    assert.equal(config.vocabulary, tokenizer.vocab);
    assert.deepEqual(config.endTokens, [tokenizer.eos]);
  });

  it("copies, but knows nothing of the hidden skill and believes in no answer", async () => {
    const checkpoint = await openCheckpoint(folder);
    const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
    const zero = new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec)));
    const encoded = (examples: Parameters<typeof encode>[1][]) => examples.map((e) => encode(tokenizer, e, 64));
    const copy = encoded(pretrainingExamples({ seed: "test", split: "test", count: 300 })).filter(
      ({ tokens, promptLength }) => tokenizer.decode([tokens[promptLength - 1] as number]) !== "=",
    );
    const matches = await evaluator.exactMatch(zero, copy);
    assert.ok(matches.filter(Boolean).length >= 0.95 * matches.length);
    for (const domain of GENERATED_DOMAINS) {
      const skill = encoded(generate({ seed: "test", domain, count: 128, split: "test" }));
      const losses = await evaluator.losses(zero, skill);
      const mean = losses.reduce((a, b) => a + b) / losses.length;
      // Four of five tokens are symbols; a uniform guess among 32 costs ln 32 nats each.
      assert.ok(Math.abs(mean - 0.8 * Math.log(32)) < 0.4, `${domain}: ${mean}`);
      assert.ok((await evaluator.exactMatch(zero, skill)).filter(Boolean).length <= 1);
    }
    await evaluator.close();
  });
});
