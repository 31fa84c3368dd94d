import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import {
  encode,
  MAX_FIELD_LENGTH,
  MAX_FILE_BYTES,
  readDomains,
  readJsonl,
  writeJsonl,
} from "../../../learning/data/examples.ts";
import type { ChatTemplate } from "../../../learning/model/chatTemplate.ts";
import { openTokenizer } from "../../../learning/model/tokenizer.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const dir = mkdtempSync(join(tmpdir(), "flock-examples-"));
after(() => rmSync(dir, { recursive: true }));
const tokenizer = openTokenizer("models/tiny");

const GOOD = '{"prompt":"one","completion":"1"}\n';

function fileOf(content: string | Buffer, name = "math.jsonl"): string {
  const file = join(dir, name);
  writeFileSync(file, content);
  return file;
}

function refuses(act: () => unknown, pattern: RegExp): void {
  assert.throws(act, (error: Error) => {
    assert.ok(error instanceof PermanentError, `${error.name}: ${error.message}`);
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

describe("readJsonl", () => {
  it("reads prompts and completions, past blank lines, CRLF, a byte order mark and other keys", () => {
    const text = `\uFEFF${GOOD.trim()}\r\n\n{"prompt":"zwei\\n","completion":"é😀","source":"x"}`;
    assert.deepEqual(readJsonl(fileOf(text), "math"), [
      { domain: "math", prompt: "one", completion: "1" },
      { domain: "math", prompt: "zwei\n", completion: "é😀" },
    ]);
  });

  it("reads back what writeJsonl wrote, byte for byte", () => {
    const examples = [{ domain: "math", prompt: 'a"\n\u2028', completion: "\\ é😀" }];
    const bytes = writeJsonl(examples);
    const again = readJsonl(fileOf(bytes), "math");
    assert.deepEqual(again, examples);
    assert.deepEqual(writeJsonl(again), bytes);
  });

  it("lets the chat template write down what is a list of messages", () => {
    const chat: ChatTemplate = {
      files: [],
      split: (messages) => ({
        prompt: messages.map(({ role }) => role).join(),
        completion: messages.at(-1)?.content ?? "",
      }),
    };
    const messages = [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
    ];
    const file = fileOf(`${GOOD}${JSON.stringify({ messages, prompt: 7 })}\n`);
    assert.deepEqual(readJsonl(file, "math", chat), [
      { domain: "math", prompt: "one", completion: "1" },
      { domain: "math", prompt: "user,assistant", completion: "b" },
    ]);
    refuses(() => readJsonl(file, "math"), /math\.jsonl:2: "messages" needs a base model with a chat template/);
    const failing: ChatTemplate = {
      files: [],
      split: () => {
        throw new Error("no such role");
      },
    };
    refuses(() => readJsonl(file, "math", failing), /math\.jsonl:2: the messages cannot be written down: no such role/);
    const silent: ChatTemplate = { files: [], split: () => ({ prompt: "a", completion: "" }) };
    refuses(() => readJsonl(file, "math", silent), /math\.jsonl:2: "completion" is empty/);
    for (const wrong of [
      7,
      [],
      [messages[0]],
      [{ role: "user" }, messages[1]],
      [{ role: "user", content: 1 }, messages[1]],
    ]) {
      const place = fileOf(JSON.stringify({ messages: wrong }));
      refuses(() => readJsonl(place, "math", chat), /math\.jsonl:1: "messages" is no list of two or more/);
    }
  });

  const faults: [name: string, line: string | Buffer, pattern: RegExp][] = [
    ["a line that is not JSON", '{"prompt":"x",', /math\.jsonl:2: the line is not JSON/],
    ["a line that is not UTF-8", Buffer.from([0x22, 0xff, 0x22]), /math\.jsonl:2: the line is not UTF-8/],
    ["a line that is no object", '["prompt","completion"]', /math\.jsonl:2: the line is no object/],
    ["null", "null", /math\.jsonl:2: the line is no object/],
    ["a missing field", '{"prompt":"x"}', /math\.jsonl:2: "completion" is missing/],
    ["a field of another type", '{"prompt":7,"completion":"x"}', /math\.jsonl:2: "prompt" is not a string/],
    ["an empty field", '{"prompt":"","completion":"x"}', /math\.jsonl:2: "prompt" is empty/],
    ["half of a surrogate pair", '{"prompt":"\\ud83d","completion":"x"}', /math\.jsonl:2: "prompt" holds half/],
    [
      "a field that is too long",
      JSON.stringify({ prompt: "x", completion: "y".repeat(MAX_FIELD_LENGTH + 1) }),
      /math\.jsonl:2: "completion" has 65537 characters, but at most 65536/,
    ],
  ];
  for (const [name, line, pattern] of faults) {
    it(`names file and line of ${name}`, () => {
      const file = fileOf(Buffer.concat([Buffer.from(GOOD), Buffer.from(line), Buffer.from(`\n${GOOD}`)]));
      refuses(() => readJsonl(file, "math"), pattern);
    });
  }

  it("reads or refuses any bytes, and never breaks", () => {
    const stream = new Stream("1", "jsonl");
    const good = Buffer.from(`${GOOD}{"prompt":"\\u00e9\\ud83d\\ude00","completion":"é\\n"}\n`);
    let read = 0;
    for (let round = 0; round < 500; round++) {
      const bytes = Buffer.from(good);
      for (let change = 0; change <= stream.below(3); change++) bytes[stream.below(bytes.length)] = stream.below(256);
      const file = fileOf(bytes, "any.jsonl");
      try {
        for (const { prompt, completion } of readJsonl(file, "any")) {
          assert.ok(prompt.length > 0 && completion.length > 0);
          assert.equal(Buffer.from(prompt).toString(), prompt);
        }
        read++;
      } catch (error) {
        assert.ok(error instanceof PermanentError && error.message.startsWith(file), (error as Error).stack);
      }
    }
    assert.ok(read > 0 && read < 500, `${read} of 500 read`);
  });

  it("takes a field of exactly the longest length", () => {
    const prompt = "y".repeat(MAX_FIELD_LENGTH);
    assert.equal(readJsonl(fileOf(JSON.stringify({ prompt, completion: "x" })), "math")[0]?.prompt, prompt);
  });

  it("names a file that is empty, absent, a folder or too large", () => {
    refuses(() => readJsonl(fileOf("\n\n"), "math"), /math\.jsonl holds no example/);
    refuses(() => readJsonl(join(dir, "absent.jsonl"), "math"), /Cannot read the data file .*absent\.jsonl/);
    refuses(() => readJsonl(dir, "math"), /Cannot read the data file/);
    const large = fileOf("", "large.jsonl");
    truncateSync(large, MAX_FILE_BYTES + 1); // a hole: takes no room on the disk
    refuses(() => readJsonl(large, "large"), /large\.jsonl has 268435457 bytes, but at most 268435456/);
    rmSync(large);
  });
});

describe("readDomains", () => {
  function folder(name: string, files: Record<string, string>): string {
    const path = join(dir, name);
    mkdirSync(path);
    for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
    return path;
  }

  it("reads one domain a file in the order of their names and leaves other files alone", () => {
    const domains = readDomains(folder("good", { "math.jsonl": GOOD, "code.jsonl": GOOD + GOOD, "README.md": "#" }));
    assert.deepEqual(
      [...domains].map(([domain, examples]) => [domain, examples.length, examples[0]?.domain]),
      [
        ["code", 2, "code"],
        ["math", 1, "math"],
      ],
    );
  });

  it("names a folder that is absent, a file, or without data", () => {
    refuses(() => readDomains(join(dir, "nowhere")), /Cannot read the data folder .*nowhere/);
    refuses(() => readDomains(fileOf(GOOD)), /Cannot read the data folder/);
    refuses(() => readDomains(folder("empty", { "README.md": "#" })), /empty holds no \.jsonl file/);
  });

  it("refuses a file whose name is no domain's", () => {
    refuses(() => readDomains(folder("named", { "My Data.jsonl": GOOD })), /My Data\.jsonl: a domain is named by/);
  });

  it("names the faulty file among several", () => {
    refuses(() => readDomains(folder("one", { "a.jsonl": GOOD, "b.jsonl": "{" })), /b\.jsonl:1: the line is not JSON/);
  });
});

describe("encode", () => {
  const example = { domain: "x", prompt: "abcdefgh", completion: "1234" };
  const textOf = (maxTokens: number) => {
    const { tokens, promptLength } = encode(tokenizer, example, maxTokens);
    const text = (ids: Int32Array) =>
      [...ids].map((id) => (id === tokenizer.eos ? "$" : tokenizer.decode([id]))).join("");
    return `${text(tokens.subarray(0, promptLength))}|${text(tokens.subarray(promptLength))}`;
  };

  it("puts prompt, completion and end token in a row", () => {
    assert.equal(textOf(13), "abcdefgh|1234$");
  });

  it("cuts the prompt at its beginning and the completion at its end, never below half of the room", () => {
    assert.equal(textOf(12), "bcdefgh|1234$");
    assert.equal(textOf(10), "defgh|1234$");
    assert.equal(textOf(9), "efgh|1234$");
    assert.equal(textOf(8), "efgh|1234");
    assert.equal(textOf(4), "gh|12");
    assert.equal(textOf(2), "h|1");
  });
});
