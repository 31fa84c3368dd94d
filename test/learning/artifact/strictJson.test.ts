import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseStrictJson, type StrictJson } from "../../../learning/artifact/strictJson.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { holds } from "../../support/property.ts";

const parse = (text: string, depth = 3) => parseStrictJson(Buffer.from(text), { where: "the test", depth });

describe("strict JSON", () => {
  it("reads what JSON.parse reads, objects as maps", () => {
    const plain = (value: StrictJson): unknown =>
      value instanceof Map
        ? Object.fromEntries([...value].map(([name, inner]) => [name, plain(inner)]))
        : Array.isArray(value)
          ? value.map(plain)
          : value;
    const json = fc.json({ maxDepth: 3, noUnicodeString: false } as fc.JsonSharedConstraints);
    holds(json, (text) => {
      if (text.includes("__proto__")) return;
      assert.deepEqual(plain(parse(text, 9)), JSON.parse(text));
    });
  });

  for (const [what, text] of Object.entries({
    "a name twice": '{"a":1,"a":2}',
    "a name twice, once escaped": '{"a":1,"\\u0061":2}',
    "the name __proto__": '{"__proto__":1}',
    "nesting beyond the limit": "[[[[1]]]]",
    "something after the end": "{} {}",
    "a comma too many": "[1,]",
    "a comma too few": "[1 2]",
    "an unfinished object": '{"a":1',
    "an unfinished string": '"a',
    "a control character in a string": '"a\u0001"',
    "a number that JSON does not have": "[01]",
    "a word that JSON does not have": "[NaN]",
    "a byte order mark": "\ufeff{}",
    nothing: "",
  })) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parse(text), PermanentError);
    });
  }

  it("refuses bytes that are not UTF-8", () => {
    assert.throws(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]), { where: "x" }), /x: the JSON is not UTF-8/);
  });
});
