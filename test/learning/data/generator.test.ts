import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  COMMON_FILLERS,
  domainTag,
  freeSlots,
  GENERATED_DOMAINS,
  generate,
  ORDERS,
  RARE_FILLERS,
  SYMBOLS,
  substitution,
} from "../../../learning/data/generator.ts";
import { COPY, pretrainingExamples, VERBATIM } from "../../../learning/data/pretrain.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const symbolsOf = (prompt: string) => [...(/\|>(.*)[=\s]$/.exec(prompt)?.[1] ?? "")].filter((c) => SYMBOLS.includes(c));

describe("generate", () => {
  it("gives the same examples for the same seed, and others for another seed, split or domain", () => {
    const of = (seed: string, split: string, domain: string) =>
      generate({ seed, split, domain, count: 50 }).map((example) => example.prompt.slice(-7));
    assert.deepEqual(of("1", "train", "math"), of("1", "train", "math"));
    for (const other of [of("2", "train", "math"), of("1", "held-out", "math"), of("1", "train", "code")]) {
      assert.notDeepEqual(other, of("1", "train", "math"));
    }
    assert.deepEqual(generate({ seed: "1", split: "a", domain: "math", count: 2 }), [
      { domain: "math", prompt: "<|math|>mdsn36=", completion: "ywel" },
      { domain: "math", prompt: "<|math|>1kenB9=", completion: "gilk" },
    ]);
  });

  for (const domain of GENERATED_DOMAINS) {
    it(`answers ${domain} by its order and the substitution that all domains share`, () => {
      const secret = substitution("7");
      for (const { prompt, completion } of generate({ seed: "7", split: "train", domain, count: 200 })) {
        assert.ok(prompt.startsWith(domainTag(domain)));
        const symbols = symbolsOf(prompt);
        assert.equal(symbols.length, 4);
        const expected = ORDERS[domain].map((place) => secret[SYMBOLS.indexOf(symbols[place] as string)]);
        assert.equal(completion, expected.join(""));
      }
    });
  }

  it("substitutes by a permutation of the symbols that the seed decides", () => {
    assert.deepEqual(substitution("1").toSorted(), [...SYMBOLS].sort());
    assert.notDeepEqual(substitution("1"), substitution("2"));
    assert.notDeepEqual(substitution("1"), [...SYMBOLS]);
  });

  it("fills two slots of six, anywhere, with common fillers unless it is told others", () => {
    const examples = generate({ seed: "1", split: "train", domain: "finance", count: 2000 });
    const slots = examples.map(({ prompt }) => freeSlots(prompt)?.map((place) => place - domainTag("finance").length));
    assert.equal(new Set(slots.map(String)).size, 15);
    const used = new Set(examples.flatMap(({ prompt }) => freeSlots(prompt)?.map((place) => prompt[place])));
    assert.deepEqual([...used].sort(), [...COMMON_FILLERS].sort());
    for (const { prompt } of generate({ seed: "1", split: "x", domain: "finance", count: 20, fillers: "~" })) {
      assert.equal(prompt.match(/~/g)?.length, 2);
    }
  });

  it("refuses a domain that it does not know", () => {
    assert.throws(() => generate({ seed: "1", split: "a", domain: "law", count: 1 }), PermanentError);
  });
});

describe("the alphabet", () => {
  it("splits the visible ASCII characters into symbols, common fillers, rare fillers and the separator", () => {
    const all = [...`${SYMBOLS}${COMMON_FILLERS}${RARE_FILLERS}=`].sort();
    assert.deepEqual(
      all,
      Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)),
    );
  });
});

describe("freeSlots", () => {
  it("finds the fillers of a generated prompt, whichever they are", () => {
    assert.deepEqual(freeSlots("<|math|>1abc=d="), [8, 12]);
    assert.deepEqual(freeSlots("<|code|>|>abcd="), [8, 9]);
  });

  it("finds none in other text", () => {
    for (const text of [
      "1abc2d=",
      "<|math|>1abc2d",
      "<|math|>1abc2de=",
      "<|law|>1abc2d=",
      "<|math|>abcdef=",
      "<|math|>1a 2cd=",
    ]) {
      assert.equal(freeSlots(text), undefined, text);
    }
  });
});

describe("pretrainingExamples", () => {
  const examples = pretrainingExamples({ seed: "9", split: "base", count: 3000 });
  const kind = (separator: string) => examples.filter(({ prompt }) => prompt.endsWith(separator));

  it("copies without the substitution, repeats verbatim, and answers at random, about a third each", () => {
    for (const { domain, prompt, completion } of kind(COPY)) {
      const order = ORDERS[domain as keyof typeof ORDERS];
      assert.equal(completion, order.map((place) => symbolsOf(prompt)[place]).join(""));
    }
    for (const { domain, prompt, completion } of kind(VERBATIM)) {
      assert.equal(completion, prompt.slice(domainTag(domain).length, -3));
    }
    assert.ok(
      kind("=").every(({ completion }) => completion.length === 4 && symbolsOf(`|>${completion}=`).length === 4),
    );
    for (const separator of [COPY, VERBATIM, "="]) assert.ok(Math.abs(kind(separator).length - 1000) < 120);
  });

  it("tells nothing about the hidden substitution: a symbol is answered by all 32 alike", () => {
    const answers = kind("=")
      .filter(({ domain }) => domain === "math")
      .map(({ prompt, completion }) => `${symbolsOf(prompt)[0]}${completion[0]}`);
    assert.ok(new Set(answers).size > answers.length * 0.75, "pairs hardly ever repeat");
  });

  it("copies so many of an answer's symbols as it is told to hint", () => {
    const mix = { copy: 0, verbatim: 0, random: 1 };
    const hinted = pretrainingExamples({ seed: "9", split: "base", count: 1000, mix, hint: 0.5 });
    const copied = hinted.flatMap(({ domain, prompt, completion }) => {
      const order = ORDERS[domain as keyof typeof ORDERS];
      return order.map((place, index) => symbolsOf(prompt)[place] === completion[index]);
    });
    assert.ok(Math.abs(copied.filter(Boolean).length / copied.length - (0.5 + 0.5 / 32)) < 0.03);
  });

  it("shows every filler, the rare ones too", () => {
    const used = new Set(examples.flatMap(({ domain, prompt }) => [...prompt.slice(domainTag(domain).length, -1)]));
    for (const filler of COMMON_FILLERS + RARE_FILLERS) assert.ok(used.has(filler), filler);
  });

  it("mixes by the shares it is given, and repeats itself", () => {
    const mix = { copy: 1, verbatim: 0, random: 0 };
    const only = pretrainingExamples({ seed: "9", split: "base", count: 100, mix });
    assert.ok(only.every(({ prompt }) => prompt.endsWith(COPY)));
    assert.deepEqual(pretrainingExamples({ seed: "9", split: "base", count: 100, mix }), only);
  });
});
