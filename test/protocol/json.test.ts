import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExitCode, type PermanentError } from "../../protocol/errors.ts";
import { jsonFault, parseJson } from "../../protocol/json.ts";
import { propertySeed } from "../support/property.ts";

const faults: [text: string, line: number, column: number][] = [
  ["", 1, 1],
  ["hello", 1, 1],
  ["{", 1, 2],
  ['{"a": 1,}', 1, 9],
  ['{"a" 1}', 1, 6],
  ["[1 2]", 1, 4],
  ["[1,\n 2,\n x]", 3, 2],
  ["01", 1, 2],
  ['{"a": "b\n"}', 1, 7],
  ["[1]]", 1, 4],
  ["[1}", 1, 3],
  ['{"a":\n  tru}', 2, 3],
  ["1,", 1, 2],
  ['["\\x"]', 1, 2],
];

for (const [text, line, column] of faults) {
  test(`${JSON.stringify(text)} stops being JSON in line ${line}, column ${column}`, () => {
    assert.deepEqual(jsonFault(text), { line, column });
  });
}

test("the place is the first one at which no JSON text goes on like this", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom("}", "]", ",", ":", "x", "\u0000"), (text, n, stray) => {
      const at = n % (text.length + 1);
      const broken = text.slice(0, at) + stray + text.slice(at);
      fc.pre(!isJson(broken));
      const { line, column } = jsonFault(broken);
      assert.equal(line, 1);
      // In a string a control character spoils the whole token.
      const start = text.slice(0, at).replace(/\\./g, "__").lastIndexOf('"') + 1;
      assert.ok(column >= Math.min(start, at) && column <= broken.length + 1, `${column} in ${broken}`);
    }),
    { seed: propertySeed, examples: [['{"\\"  ":true}', 6, "\u0000"]] },
  );
});

test("error: what is not JSON is named with its place and not shown", () => {
  assert.throws(
    () => parseJson("0xsecret", { what: "The configuration operator.json", exitCode: ExitCode.usage }),
    (error: PermanentError) => {
      assert.equal(error.message, "The configuration operator.json is not JSON: see line 1, column 2.");
      assert.equal(error.exitCode, ExitCode.usage);
      assert.equal(error.cause, undefined);
      return true;
    },
  );
  assert.deepEqual(parseJson('{"a":[1]}', { what: "It" }), { a: [1] });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
