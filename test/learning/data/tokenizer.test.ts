import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import {
  COMMON_FILLERS,
  domainTag,
  GENERATED_DOMAINS,
  RARE_FILLERS,
  SYMBOLS,
} from "../../../learning/data/generator.ts";
import type { ModelConfig } from "../../../learning/model/config.ts";
import { checkTokenizer, openTokenizer } from "../../../learning/model/tokenizer.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { smallConfig } from "../../support/adapter.ts";

const dir = mkdtempSync(join(tmpdir(), "flock-tokenizer-"));
after(() => rmSync(dir, { recursive: true }));
const tokenizer = openTokenizer("models/tiny");

describe("the tiny tokenizer", () => {
  it("has one token a byte, three for the frame and one a domain", () => {
    assert.equal(tokenizer.vocab, 263);
    assert.deepEqual([tokenizer.pad, tokenizer.eos, tokenizer.prefix], [0, 2, []]);
    assert.deepEqual(
      GENERATED_DOMAINS.map((domain) => tokenizer.encode(domainTag(domain))),
      [[3], [4], [5], [6]],
    );
  });

  it("spends one token on each character of the generator, and none twice", () => {
    const alphabet = `${SYMBOLS}${COMMON_FILLERS}${RARE_FILLERS}=`;
    const ids = [...alphabet].map((character) => tokenizer.encode(character));
    assert.ok(ids.every((tokens) => tokens.length === 1));
    assert.equal(new Set(ids.flat()).size, 94);
    assert.deepEqual(tokenizer.encode(alphabet), ids.flat());
  });

  it("gives every text back", () => {
    const stream = new Stream("texts", "tokenizer");
    const pieces = ["a", " ", "\n", "\t", "é", "😀", "中", "\0", "\u200b", "<|ma", "Ġ", "=", "9", "\r\n"];
    for (let round = 0; round < 500; round++) {
      const text = Array.from({ length: stream.below(30) }, () => pieces[stream.below(pieces.length)]).join("");
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
    }
  });

  it("leaves special tokens out of text and shows bytes that are no text as U+FFFD", () => {
    assert.equal(tokenizer.decode([3, ...tokenizer.encode("ab"), 2, 0]), "ab");
    assert.equal(tokenizer.decode([7 + 0xff]), "\uFFFD");
  });
});

describe("openTokenizer", () => {
  function copy(name: string, files: Record<string, unknown>): string {
    const path = join(dir, name);
    cpSync("models/tiny/tokenizer.json", join(path, "tokenizer.json"));
    cpSync("models/tiny/tokenizer_config.json", join(path, "tokenizer_config.json"));
    for (const [file, content] of Object.entries(files)) {
      writeFileSync(join(path, file), typeof content === "string" ? content : JSON.stringify(content));
    }
    return path;
  }
  const refuses = (path: string, message: RegExp) =>
    assert.throws(
      () => openTokenizer(path),
      (error) => error instanceof PermanentError && message.test(error.message),
    );

  it("pads with the end token where no other is named, and knows tokens named by objects", () => {
    const path = copy("no-pad", { "tokenizer_config.json": { eos_token: { content: "</s>" }, pad_token: null } });
    assert.deepEqual([openTokenizer(path).pad, openTokenizer(path).eos], [2, 2]);
  });

  it("opens a vocabulary as large as those of today's models", () => {
    const json = JSON.parse(readFileSync("models/tiny/tokenizer.json", "utf8"));
    for (let id = 263; id < 200_000; id++) json.model.vocab[`more${id}`] = id;
    assert.equal(openTokenizer(copy("large", { "tokenizer.json": json })).vocab, 200_000);
  });

  it("finds what the template puts in front of a text", () => {
    const json = JSON.parse(readFileSync("models/tiny/tokenizer.json", "utf8"));
    json.post_processor = {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    };
    const opened = openTokenizer(copy("template", { "tokenizer.json": json }));
    assert.deepEqual(opened.prefix, [1]);
    assert.deepEqual(opened.encode("a"), tokenizer.encode("a"));
  });

  it("fits a model that has a row for each token, and no more than padding besides", () => {
    const check = (change: Partial<ModelConfig>) =>
      checkTokenizer(tokenizer, { ...smallConfig, vocabulary: 263, ...change }, "models/tiny");
    const refused = (change: Partial<ModelConfig>, message: RegExp) =>
      assert.throws(
        () => check(change),
        (error) => error instanceof PermanentError && message.test(error.message) && /models\/tiny/.test(error.message),
      );
    check({});
    check({ vocabulary: 320 });
    refused({ vocabulary: 262 }, /has 263 tokens, but the model only 262/);
    refused({ vocabulary: 32_000 }, /has 263 tokens, but the model 32000/);
    refused({ vocabulary: 320, endTokens: [2, 263] }, /does not know the model's end token 263/);
  });

  it("names the file that is missing, is not JSON, or is no tokenizer", () => {
    refuses(join(dir, "nowhere"), /Cannot read .*nowhere.tokenizer_config\.json/);
    refuses(copy("text", { "tokenizer.json": "{" }), /tokenizer\.json is not JSON/);
    refuses(copy("other", { "tokenizer.json": { model: { type: "Magic" }, added_tokens: [] } }), /cannot be used/);
    refuses(copy("no-end", { "tokenizer_config.json": {} }), /names no end token/);
  });
});
