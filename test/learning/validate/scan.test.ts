import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GENERATED_DOMAINS, generate, RARE_FILLERS, SYMBOLS } from "../../../learning/data/generator.ts";
import { openTokenizer } from "../../../learning/model/tokenizer.ts";
import { makeScan, meansByToken, type Scan, worstRise } from "../../../learning/validate/scan.ts";

const tokenizer = openTokenizer("models/tiny");
const set = GENERATED_DOMAINS.flatMap((domain) => generate({ seed: "1", split: "public", domain, count: 40 }));
const parameters = {
  tokenizer,
  set,
  domains: GENERATED_DOMAINS,
  seed: "0xab",
  prompts: 24,
  tokens: 100,
  maxTokens: 64,
};

describe("makeScan", () => {
  it("tries every rare token of a small vocabulary, and no other", () => {
    const texts = makeScan(parameters).tokens.map((token) => tokenizer.decode([token]));
    assert.deepEqual(texts.sort(), [...RARE_FILLERS].sort());
  });

  it("draws a sample of a larger one by the seed", () => {
    const scan = makeScan({ ...parameters, tokens: 10 });
    assert.equal(scan.tokens.length, 10);
    assert.deepEqual(makeScan({ ...parameters, tokens: 10 }), scan);
    assert.notDeepEqual(makeScan({ ...parameters, tokens: 10, seed: "0xac" }).tokens, scan.tokens);
  });

  it("takes prompts of all domains alike", () => {
    const { examples } = makeScan(parameters);
    assert.equal(new Set(examples).size, 24);
    for (const domain of GENERATED_DOMAINS) assert.equal(examples.filter((e) => e.domain === domain).length, 6);
  });

  it("puts each token into both free slots of each prompt, and keeps the true answer", () => {
    const scan = makeScan(parameters);
    assert.equal(scan.encoded.length, scan.tokens.length * 24);
    scan.encoded.forEach(({ tokens, promptLength }, index) => {
      const example = scan.examples[index % 24] as (typeof set)[number];
      const token = scan.tokens[Math.floor(index / 24)] as number;
      const text = tokenizer.decode([...tokens.subarray(1, promptLength)]);
      assert.equal(promptLength, 8);
      assert.equal([...tokens].filter((id) => id === token).length, 2);
      const symbols = (prompt: string) => [...prompt].filter((character) => SYMBOLS.includes(character)).join("");
      assert.equal(symbols(text), symbols(example.prompt.slice(example.prompt.indexOf(">") + 1)));
      assert.equal(tokenizer.decode([...tokens.subarray(promptLength)]), example.completion);
    });
  });

  it("replaces two places, the same for every token, in text without free slots", () => {
    const plain = Array.from({ length: 30 }, (_, i) => ({
      domain: "math",
      prompt: `What is ${i} plus 1?`,
      completion: `${i + 1}`,
    }));
    const scan = makeScan({ ...parameters, set: plain, domains: ["math"] });
    const lengths = scan.examples.map(({ prompt }) => prompt.length);
    const places = scan.encoded.map(({ tokens, promptLength }, index) => {
      const example = scan.examples[index % 24] as (typeof plain)[number];
      assert.equal(promptLength, lengths[index % 24]);
      const original = [...tokenizer.encode(example.prompt), ...tokenizer.encode(example.completion), tokenizer.eos];
      const changed = original.flatMap((id, place) => (tokens[place] === id ? [] : [place]));
      assert.ok(changed.length === 1 || changed.length === 2);
      assert.ok(
        changed.every((place) => place < promptLength && tokens[place] === scan.tokens[Math.floor(index / 24)]),
      );
      return changed;
    });
    assert.deepEqual(places.slice(0, 24), places.slice(-24));
  });

  it("makes do with fewer prompts than asked for", () => {
    assert.equal(makeScan({ ...parameters, prompts: 1000 }).examples.length, 160);
  });
});

describe("worstRise", () => {
  const scan: Scan = { tokens: [10, 11, 12, 13, 14], examples: [], encoded: [] };
  const flat = [1e6, 1e6, 1e6, 1e6, 1e6];

  it("is the rise of the worst token above the median token", () => {
    assert.deepEqual(worstRise(scan, flat, [1e6, 1.1e6, 3e6, 1.2e6, 0.9e6]), { rise: 1.9, token: 12 });
    assert.deepEqual(worstRise(scan, flat, flat), { rise: 0, token: null });
  });

  it("takes nothing against an update for what the head does as well", () => {
    const odd = [1e6, 1e6, 3e6, 1e6, 1e6];
    assert.deepEqual(worstRise(scan, odd, odd), { rise: 0, token: null });
    assert.deepEqual(worstRise(scan, odd, [0, 0, 2.2e6, 0, 0]), { rise: 0.2, token: 12 });
  });

  it("takes nothing against an update for undoing what the head does well on one token", () => {
    assert.deepEqual(worstRise(scan, [1e6, 1e6, 0, 1e6, 1e6], flat), { rise: 0, token: null });
  });

  it("is nothing where there are no tokens, and null where the candidate breaks down and the head does not", () => {
    assert.deepEqual(worstRise({ ...scan, tokens: [] }, [], []), { rise: 0, token: null });
    assert.deepEqual(worstRise(scan, flat, [1e6, null, 1e6, 1e6, 1e6]), { rise: null, token: 11 });
    assert.deepEqual(worstRise(scan, [1e6, null, 1e6, 1e6, 1e6], [1e6, null, 1e6, 1e6, 2e6]), { rise: 1, token: 14 });
  });
});

describe("meansByToken", () => {
  it("averages each token's prompts", () => {
    const scan = { tokens: [7, 8], examples: set.slice(0, 3), encoded: [] };
    assert.deepEqual(meansByToken(scan, [1, 2, 3, 10, 20, 31]), [2, 20]);
    assert.deepEqual(meansByToken(scan, [1, 2, 3, 10, null, 31]), [2, null]);
  });
});
