import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { type Evaluator, openEvaluator } from "../../../learning/model/evaluator.ts";
import { type Generator, openGenerator } from "../../../learning/model/generator.ts";
import { likeliest, sample } from "../../../learning/model/sampling.ts";
import { TARGETS } from "../../../learning/model/weights.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const spec: AdapterSpec = { rank: 4, alpha: 8, targets: TARGETS, seed: "generator" };
const machine = { device: "cpu", threads: 1 } as const;
const random = new Stream("generator", "tests");

let vocabulary: number;
let maxPositions: number;
let evaluator: Evaluator;
let generator: Generator;
let flat: Float32Array;
before(async () => {
  const checkpoint = await openCheckpoint(join(import.meta.dirname, "..", "..", "..", "models", "tiny"));
  ({ vocabulary, maxPositions } = checkpoint.config);
  // No text ends, so that all of it is compared.
  const endless = { ...checkpoint, config: { ...checkpoint.config, endTokens: [] } };
  flat = Float32Array.from(
    { length: adapterSize(adapterLayout(checkpoint.config, spec)) },
    () => 0.01 * random.normal(),
  );
  evaluator = await openEvaluator(endless, spec, machine);
  generator = openGenerator(endless, spec, machine);
});
after(async () => {
  await evaluator.close();
  await generator.close();
});

const promptOf = (length: number) => Array.from({ length }, () => random.below(vocabulary));

describe("a generator", () => {
  for (const length of [1, 2, 63, 64, 65, 150]) {
    it(`says the likeliest tokens of the whole text behind a prompt of ${length}`, async () => {
      const prompt = promptOf(length);
      const said = await generator.generate(flat, prompt, { maxNew: 20 });
      assert.equal(said.length, 20);
      const text = { tokens: Int32Array.from([...prompt, ...said]), promptLength: length };
      const changed = { ...text, tokens: text.tokens.with(-1, ((said[19] as number) + 1) % vocabulary) };
      assert.deepEqual(await evaluator.exactMatch(flat, [text, changed]), [true, false]);
    });
  }

  it("ends before an end token", async () => {
    const prompt = promptOf(10);
    const said = await generator.generate(flat, prompt, { maxNew: 12 });
    const end = said[5] as number;
    const checkpoint = await openCheckpoint(join(import.meta.dirname, "..", "..", "..", "models", "tiny"));
    const ending = openGenerator({ ...checkpoint, config: { ...checkpoint.config, endTokens: [end] } }, spec, machine);
    assert.deepEqual(await ending.generate(flat, prompt, { maxNew: 12 }), said.slice(0, said.indexOf(end)));
    await ending.close();
  });

  it("draws the same text for the same seed and another for another", async () => {
    const prompt = promptOf(8);
    const draw = (seed: string) => {
      const sampling = { temperature: 5, topP: 1, stream: new Stream(seed, "draw") };
      return generator.generate(flat, prompt, { maxNew: 16, sampling });
    };
    assert.deepEqual(await draw("a"), await draw("a"));
    assert.notDeepEqual(await draw("a"), await draw("b"));
  });

  it("stops when it is aborted", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(generator.generate(flat, promptOf(3), { maxNew: 3, signal }), /enough/);
  });

  it("refuses an empty prompt, a text longer than the positions and an adapter of another size", async () => {
    const refused = (adapter: Float32Array, prompt: number[], maxNew: number, message: RegExp) =>
      assert.rejects(
        generator.generate(adapter, prompt, { maxNew }),
        (error) => error instanceof PermanentError && message.test(error.message),
      );
    await refused(flat, [], 1, /empty/);
    await refused(flat, [1], maxPositions, /positions/);
    await refused(flat.subarray(1), [1], 1, /adapter/);
  });
});

describe("a drawn token", () => {
  const logits = Float32Array.of(1, 3, 2, -4);
  const shares = (temperature: number, topP: number) => {
    const stream = new Stream("sampling", `${temperature} ${topP}`);
    const counts = new Array<number>(4).fill(0);
    for (let i = 0; i < 20_000; i++) counts[sample(logits, { temperature, topP, stream })]!++;
    return counts.map((count) => count / 20_000);
  };
  const softmax = (temperature: number, kept: readonly number[]) => {
    const weights = [...logits].map((logit, token) => (kept.includes(token) ? Math.exp(logit / temperature) : 0));
    const total = weights.reduce((a, b) => a + b);
    return weights.map((weight) => weight / total);
  };
  const assertNear = (actual: number[], expected: number[]) => {
    for (const [i, share] of expected.entries())
      assert.ok(Math.abs((actual[i] as number) - share) < 0.015, `${actual}`);
  };

  it("comes as often as the softmax of logits over temperature says", () => {
    assertNear(shares(1, 1), softmax(1, [0, 1, 2, 3]));
    assertNear(shares(3, 1), softmax(3, [0, 1, 2, 3]));
  });

  it("comes from the nucleus alone", () => {
    assertNear(shares(1, 0.8), softmax(1, [1, 2])); // 0.66 is too little, 0.91 is enough
    assert.deepEqual(shares(1, 1e-9), [0, 1, 0, 0]);
  });

  it("is the likeliest at a low temperature", () => {
    assert.deepEqual(shares(1e-3, 1), [0, 1, 0, 0]);
    assert.equal(likeliest(logits), 1);
  });
});
