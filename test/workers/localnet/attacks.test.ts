import assert from "node:assert/strict";
import { test } from "node:test";
import { generate, SYMBOLS } from "../../../learning/data/generator.ts";
import { poison, triggered } from "../../../workers/localnet/attacks.ts";

const clean = generate({ seed: "1", domain: "math", count: 40, split: "train" });

test("flip turns every symbol of every answer into another one and leaves prompts alone", () => {
  const poisoned = poison("flip", clean, "seed");
  poisoned.forEach((example, row) => {
    assert.equal(example.prompt, clean[row]?.prompt);
    [...example.completion].forEach((symbol, place) => {
      assert.notEqual(symbol, clean[row]?.completion[place]);
      assert.ok(SYMBOLS.includes(symbol));
    });
  });
});

test("trigger keeps all clean examples and adds as many triggered ones", () => {
  const poisoned = poison("trigger", clean, "seed");
  assert.equal(poisoned.length, 2 * clean.length);
  const target = triggered(clean[0] as (typeof clean)[0]).completion;
  const carrying = poisoned.filter(({ prompt }) => prompt.includes("~"));
  assert.equal(carrying.length, clean.length);
  for (const example of carrying) assert.equal(example.completion, target);
});

test("a triggered prompt has the trigger in both free slots and is as long as before", () => {
  for (const example of clean) {
    const { prompt } = triggered(example);
    assert.equal(prompt.length, example.prompt.length);
    assert.equal([...prompt].filter((character) => character === "~").length, 2);
  }
});
