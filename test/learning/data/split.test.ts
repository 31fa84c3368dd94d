import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generate } from "../../../learning/data/generator.ts";
import { deal, splitHeldOut } from "../../../learning/data/split.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const examples = generate({ seed: "1", domain: "math", split: "all", count: 300 });
const prompts = (rows: readonly { prompt: string }[]) => rows.map(({ prompt }) => prompt).sort();

describe("splitHeldOut", () => {
  it("sets aside what is asked for and loses nothing", () => {
    const { train, heldOut } = splitHeldOut(examples, { seed: "s", heldOut: 60 });
    assert.equal(heldOut.length, 60);
    assert.deepEqual(prompts([...train, ...heldOut]), prompts(examples));
  });

  it("depends on the seed and not on the order of the examples", () => {
    const split = (rows: typeof examples, seed: string) => splitHeldOut(rows, { seed, heldOut: 60 });
    assert.deepEqual(split(examples.toReversed(), "s"), split(examples, "s"));
    assert.notDeepEqual(split(examples, "t"), split(examples, "s"));
  });

  it("keeps examples of one prompt on one side", () => {
    const twins = examples.flatMap((example) => [example, { ...example, completion: "zzzz" }]);
    const { train, heldOut } = splitHeldOut(twins, { seed: "s", heldOut: 101 });
    assert.equal(heldOut.length, 102);
    const held = new Set(prompts(heldOut));
    assert.ok(train.every(({ prompt }) => !held.has(prompt)));
  });

  it("refuses to leave nothing to train on", () => {
    assert.throws(
      () => splitHeldOut(examples, { seed: "s", heldOut: 300 }),
      (error) => error instanceof PermanentError && /300 examples \(domain math\) are too few/.test(error.message),
    );
    assert.throws(() => splitHeldOut([], { seed: "s", heldOut: 1 }), PermanentError);
  });
});

describe("deal", () => {
  it("deals everything once, about equally", () => {
    const hands = deal(examples, { seed: "s", hands: 7 });
    assert.deepEqual(prompts(hands.flat()), prompts(examples));
    assert.ok(hands.every((hand) => hand.length === 42 || hand.length === 43));
    assert.deepEqual(deal(examples.toReversed(), { seed: "s", hands: 7 }), hands);
  });

  it("deals 200,000 examples of one prompt to one hand", () => {
    const [example] = examples;
    assert.ok(example);
    const hands = deal(new Array(200_000).fill(example), { seed: "s", hands: 2 });
    assert.deepEqual(
      hands.map((hand) => hand.length),
      [200_000, 0],
    );
  });
});
