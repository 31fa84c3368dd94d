import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { openTokenizer } from "../../../learning/model/tokenizer.ts";

const dir = mkdtempSync(join(tmpdir(), "flock-tokenizer-"));
after(() => rmSync(dir, { recursive: true }));

function open(tokenizer: object, config: object) {
  writeFileSync(join(dir, "tokenizer.json"), JSON.stringify(tokenizer));
  writeFileSync(join(dir, "tokenizer_config.json"), JSON.stringify(config));
  return openTokenizer(dir);
}

const special = (id: number, content: string) => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
});

/** How bytes are written in a byte-level vocabulary: the printable ones as they are, the others from U+0100 on. */
const byteNames = (() => {
  const kept = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(kept(byte) ? byte : next++));
})();

const vocabularyOf = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]));

describe("a tokenizer in the manner of Llama 3 and Qwen2 (byte-level pairs)", () => {
  // Numbers fall into groups of `digits`; words keep the space before them.
  const pattern = (digits: string) =>
    `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
  const merges = ["h e", "Ġ t", "Ġt he", "l l", "1 2", "12 3"];
  const vocab = vocabularyOf([...byteNames, ...merges.map((merge) => merge.replace(" ", ""))]);
  const id = (token: string) => vocab[token] as number;
  const tokenizer = (digits: string, normalizer: object | null) =>
    open(
      {
        ...{ version: "1.0", truncation: null, padding: null, normalizer },
        added_tokens: [special(262, "<|begin|>"), special(263, "<|end|>")],
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            { type: "Split", pattern: { Regex: pattern(digits) }, behavior: "Isolated", invert: false },
            { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
          ],
        },
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<|begin|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
          pair: [],
          special_tokens: { "<|begin|>": { id: "<|begin|>", ids: [262], tokens: ["<|begin|>"] } },
        },
        decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
        model: {
          type: "BPE",
          dropout: null,
          unk_token: null,
          byte_fallback: false,
          ignore_merges: true,
          vocab,
          merges,
        },
      },
      { eos_token: "<|end|>" },
    );

  it("joins pairs in the order of the merges, within words and groups of digits", () => {
    const llama = tokenizer("{1,3}", null);
    assert.deepEqual([llama.vocab, llama.eos, llama.prefix], [264, 263, [262]]);
    assert.deepEqual(llama.encode("he'll the"), [id("he"), id("'"), id("ll"), id("Ġthe")]);
    assert.deepEqual(llama.encode("1234"), [id("123"), id("4")]);
    assert.deepEqual(llama.encode("<|end|>a"), [263, id("a")]);
    const qwen = tokenizer("", { type: "NFC" });
    assert.deepEqual(qwen.encode("1234"), ["1", "2", "3", "4"].map(id));
    assert.deepEqual(qwen.encode("e\u0301"), qwen.encode("é"));
  });

  it("gives every text back", () => {
    const llama = tokenizer("{1,3}", null);
    for (const text of ["he said\r\n\n 12345  ", "naïve 😀 中文\t'S", "  the\n"]) {
      assert.equal(llama.decode(llama.encode(text)), text);
    }
  });
});

describe("a tokenizer in the manner of Llama 2 (SentencePiece with bytes to fall back on)", () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const pieces = ["▁", "h", "i", "t", "▁h", "hi", "▁hi"];
  const vocab = vocabularyOf(["<unk>", "<s>", "</s>", ...bytes, ...pieces]);
  const id = (token: string) => vocab[token] as number;
  const tokenizer = open(
    {
      ...{ version: "1.0", truncation: null, padding: null, pre_tokenizer: null },
      added_tokens: [special(0, "<unk>"), special(1, "<s>"), special(2, "</s>")],
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "Prepend", prepend: "▁" },
          { type: "Replace", pattern: { String: " " }, content: "▁" },
        ],
      },
      post_processor: {
        type: "TemplateProcessing",
        single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
        pair: [],
        special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
      },
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "▁" }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      model: {
        ...{ type: "BPE", dropout: null, unk_token: "<unk>", fuse_unk: true, byte_fallback: true },
        ...{ vocab, merges: ["▁ h", "▁h i", "h i"] },
      },
    },
    { eos_token: "</s>", bos_token: "<s>" },
  );

  it("begins words with a mark, and spells what it does not know in bytes", () => {
    assert.deepEqual([tokenizer.eos, tokenizer.prefix], [2, [1]]);
    assert.deepEqual(tokenizer.encode("hi thi"), [id("▁hi"), id("▁"), id("t"), id("hi")]);
    assert.deepEqual(tokenizer.encode("é"), [id("▁"), id("<0xC3>"), id("<0xA9>")]);
  });

  it("gives texts back", () => {
    for (const text of ["hi thi", "é😀 hi", "a\nb"]) assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  });
});
