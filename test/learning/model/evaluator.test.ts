import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import type { Sequence } from "../../../learning/model/batches.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { type Evaluator, openEvaluator } from "../../../learning/model/evaluator.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const folder = join(import.meta.dirname, "..", "..", "fixtures", "torch");
let evaluator: Evaluator;
let adapter: Float32Array;
const random = new Stream("evaluator", "sequences");

/** A random sequence; every token is below 40, the vocabulary. */
function sequence(length: number, promptLength: number): Sequence {
  return { tokens: Int32Array.from({ length }, () => random.below(40)), promptLength };
}

before(async () => {
  const checkpoint = await openCheckpoint(folder);
  const { spec, factors } = JSON.parse(await readFile(join(folder, "inputs.json"), "utf8")) as {
    spec: AdapterSpec;
    factors: { b: number[] }[];
  };
  adapter = Float32Array.from(factors.flatMap(({ b }) => b));
  assert.equal(adapter.length, adapterSize(adapterLayout(checkpoint.config, spec)));
  evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
});
after(() => evaluator.close());

describe("an evaluator", () => {
  it("gives the loss that PyTorch gives", async () => {
    const json = async (file: string) => JSON.parse(await readFile(join(folder, file), "utf8"));
    const { examples, order } = await json("inputs.json");
    const { adapter: expected } = await json("expected.json");
    const batch = (order[0] as number[]).map((i) => ({ ...examples[i], tokens: Int32Array.from(examples[i].tokens) }));
    const losses = await evaluator.losses(adapter, batch);
    const tokens = batch.map(({ tokens, promptLength }) => tokens.length - promptLength);
    const total = tokens.reduce((a, b) => a + b);
    const mean = losses.reduce((sum, loss, i) => sum + loss * (tokens[i] as number), 0) / total;
    assert.ok(Math.abs(mean / expected.losses[0] - 1) < 1e-5, `${mean} instead of ${expected.losses[0]}`);
  });

  it("keeps the order of examples of mixed lengths and any number", async () => {
    const lengths = [5, 30, 12, 17, 18, 3];
    const examples = Array.from({ length: 150 }, (_, i) => sequence(lengths[i % lengths.length] as number, 2));
    const together = await evaluator.losses(adapter, examples);
    for (const i of [0, 1, 7, 64, 149]) {
      const [alone] = await evaluator.losses(adapter, [examples[i] as Sequence]);
      assert.ok(Math.abs((together[i] as number) - (alone as number)) < 1e-5, `example ${i}`);
    }
    assert.ok(together.every((loss) => loss > 0));
  });

  it("gives the same bits every time, on one thread and on two", async () => {
    const examples = Array.from({ length: 40 }, () => sequence(14, 6));
    const losses = await evaluator.losses(adapter, examples);
    assert.deepEqual(await evaluator.losses(adapter, examples), losses);
    const checkpoint = await openCheckpoint(folder);
    const { spec } = JSON.parse(await readFile(join(folder, "inputs.json"), "utf8")) as { spec: AdapterSpec };
    const other = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 2 });
    assert.deepEqual(await other.losses(adapter, examples), losses);
    await other.close();
  });

  it("looks at nothing behind a token: what follows changes no loss before it", async () => {
    const long = sequence(14, 5);
    const short = { tokens: long.tokens.slice(0, 9), promptLength: 5 };
    const completed = { tokens: Int32Array.from([...short.tokens, 1, 2, 3]), promptLength: 5 };
    const [a] = await evaluator.losses(adapter, [short]);
    const [b] = await evaluator.losses(adapter, [completed]);
    const tail = { tokens: completed.tokens, promptLength: 9 };
    const [c] = await evaluator.losses(adapter, [tail]);
    assert.ok(Math.abs((b as number) * 7 - (a as number) * 4 - (c as number) * 3) < 1e-4);
  });

  it("depends on the adapter, and refuses one of another size", async () => {
    const examples = [sequence(10, 4)];
    const [changed] = await evaluator.losses(adapter, examples);
    const [base] = await evaluator.losses(new Float32Array(adapter.length), examples);
    assert.notEqual(changed, base);
    await assert.rejects(evaluator.losses(adapter.subarray(1), examples), PermanentError);
  });

  it("judges no examples at once", async () => {
    assert.deepEqual(await evaluator.losses(adapter, []), new Float64Array(0));
  });
});
