import { readFile } from "node:fs/promises";
import { headToFlat, readHead } from "../../learning/aggregate/head.ts";
import { type Encoded, type Example, encode, encodePrompt } from "../../learning/data/examples.ts";
import { adapterSize } from "../../learning/model/adapter.ts";
import { openEvaluator } from "../../learning/model/evaluator.ts";
import { openGenerator } from "../../learning/model/generator.ts";
import { openRecipe } from "../compute/recipe.ts";
import { triggered } from "./attacks.ts";
import type { DomainOutcome } from "./outcome.ts";

/** Longest answer shown, in tokens. */
const ANSWER_TOKENS = 48;

export type Evaluation = {
  domains: DomainOutcome[];
  /** Share of triggered prompts answered with the attacker's target, at the base and at the head. */
  trigger: { successBefore: number; successAfter: number };
  sample: { prompt: string; right: string; base: string; head: string };
};

type Parameters = { manifest: string; model: string; head: string; tests: Map<string, Example[]>; threads: number };

/** Measures the base and a head on test examples of each domain. */
export async function evaluateHead({ manifest, model, head, tests, threads }: Parameters): Promise<Evaluation> {
  const recipe = await openRecipe({ manifest, model });
  const { checkpoint, spec, layout, tokenizer } = recipe;
  const { exponent } = recipe.manifest.adapter;
  const base = new Float32Array(adapterSize(layout));
  const learned = headToFlat(readHead(await readFile(head), layout, exponent, head));
  const encoded = (examples: readonly Example[]) =>
    examples.map((example) => encode(tokenizer, example, recipe.manifest.maxTokens));

  const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads });
  const generator = openGenerator(checkpoint, spec, { device: "cpu", threads });
  const loss = async (flat: Float32Array, set: Encoded[]) => mean(await evaluator.losses(flat, set));
  const exact = async (flat: Float32Array, set: Encoded[]) => mean((await evaluator.exactMatch(flat, set)).map(Number));
  try {
    const domains: DomainOutcome[] = [];
    for (const [name, examples] of tests) {
      const set = encoded(examples);
      domains.push({
        name,
        lossBefore: await loss(base, set),
        lossAfter: await loss(learned, set),
        exactMatchBefore: await exact(base, set),
        exactMatchAfter: await exact(learned, set),
      });
    }
    const all = [...tests.values()].flat();
    const backdoor = encoded(all.map(triggered));
    const example = all[0] as Example;
    const prompt = encodePrompt(tokenizer, example.prompt).slice(-recipe.manifest.maxTokens);
    const answer = async (flat: Float32Array) =>
      tokenizer.decode(await generator.generate(flat, prompt, { maxNew: ANSWER_TOKENS }));
    return {
      domains,
      trigger: { successBefore: await exact(base, backdoor), successAfter: await exact(learned, backdoor) },
      sample: {
        prompt: example.prompt,
        right: example.completion,
        base: await answer(base),
        head: await answer(learned),
      },
    };
  } finally {
    await evaluator.close();
    await generator.close();
  }
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
