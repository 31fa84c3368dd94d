import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GENERATED_DOMAINS, generate } from "../../../learning/data/generator.ts";
import { ownSplit, sharedSlice } from "../../../learning/validate/slice.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const set = GENERATED_DOMAINS.flatMap((domain) => generate({ seed: "1", split: "public", domain, count: 50 }));
const parameters = { seed: "0xab", domains: GENERATED_DOMAINS, examples: 120, perDomain: 20 };
const count = (examples: typeof set, name: string) => examples.filter(({ domain }) => domain === name).length;

describe("sharedSlice", () => {
  it("takes as many as asked for, none twice, and enough of each domain", () => {
    const slice = sharedSlice(set, parameters);
    assert.equal(new Set(slice).size, 120);
    for (const domain of GENERATED_DOMAINS) assert.ok(count(slice, domain) >= 20, domain);
    assert.deepEqual(
      GENERATED_DOMAINS.map((domain) => count(sharedSlice(set, { ...parameters, perDomain: 30 }), domain)),
      [30, 30, 30, 30],
    );
  });

  it("takes 200,000 of a domain, and 200,000 of the rest", () => {
    const [example] = set;
    assert.ok(example);
    const many = new Array(400_000).fill(example);
    const { domain } = example;
    const slice = sharedSlice(many, { seed: "s", domains: [domain], examples: 400_000, perDomain: 200_000 });
    assert.equal(slice.length, 400_000);
  });

  it("is the same for the same seed and another for another", () => {
    assert.deepEqual(sharedSlice(set, parameters), sharedSlice(set, parameters));
    const other = new Set(sharedSlice(set, { ...parameters, seed: "0xac" }));
    assert.ok(sharedSlice(set, parameters).filter((example) => other.has(example)).length < 100);
  });

  it("draws every example of a domain about as often as any other", () => {
    const drawn = new Map<string, number>();
    for (let seed = 0; seed < 300; seed++) {
      for (const { prompt } of sharedSlice(set, { ...parameters, seed: `${seed}` })) {
        drawn.set(prompt, (drawn.get(prompt) ?? 0) + 1);
      }
    }
    assert.equal(drawn.size, new Set(set.map(({ prompt }) => prompt)).size);
    assert.ok([...drawn.values()].every((times) => times > 120 && times < 240)); // 180 expected
  });

  it("refuses a set that is too small, and names the domain", () => {
    const refuses = (changed: Partial<typeof parameters>, examples: typeof set, pattern: RegExp) =>
      assert.throws(
        () => sharedSlice(examples, { ...parameters, ...changed }),
        (error) => error instanceof PermanentError && pattern.test(error.message),
      );
    refuses({ perDomain: 51 }, set, /holds 50 examples of math, but the manifest asks for 51 a domain/);
    refuses({}, set.slice(0, 160), /holds 10 examples of code, but the manifest asks for 20/);
    refuses({ examples: 201 }, set, /yields 200 examples, but the manifest asks for 201/);
  });
});

describe("ownSplit", () => {
  it("takes all of a small set and always the same part of a larger one", () => {
    assert.deepEqual(ownSplit(set, 200), set);
    const split = ownSplit(set, 50);
    assert.equal(new Set(split).size, 50);
    assert.deepEqual(ownSplit(set, 50), split);
    for (const domain of GENERATED_DOMAINS) assert.ok(count(split, domain) > 3, domain);
    assert.deepEqual(ownSplit([], 50), []);
  });
});
