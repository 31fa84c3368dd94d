import assert from "node:assert/strict";
import test from "node:test";
import { checkImports, importProblems, importsOf } from "../../tools/check-imports.ts";
import { root } from "../../tools/files.ts";

const problemsOf = (files: Record<string, string>) => importProblems(new Map(Object.entries(files)));

test("the tree keeps the order of its rooms and has no circle", () => {
  assert.deepEqual(checkImports(root), []);
});

test("every form of import is seen, with its line", () => {
  const text = [
    'import a from "./a.ts";',
    'import type { B } from "./b.ts";',
    'import "./c.ts";',
    "import {",
    "  d,",
    '} from "./d.ts";',
    'export { e } from "./e.ts";',
    'const f = await import("./f.ts");',
    "const from = 1; // import nothing",
  ].join("\n");
  assert.deepEqual(importsOf(text), [
    { name: "./a.ts", line: 1 },
    { name: "./b.ts", line: 2 },
    { name: "./c.ts", line: 3 },
    { name: "./d.ts", line: 6 },
    { name: "./e.ts", line: 7 },
    { name: "./f.ts", line: 8 },
  ]);
});

test("an import against the order is a problem", () => {
  const problems = problemsOf({ "protocol/a.ts": 'import { b } from "../learning/b.ts";', "learning/b.ts": "" });
  assert.deepEqual(problems, ["protocol/a.ts:1 imports learning/b.ts, but protocol may not import from learning."]);
});

test("an import along the order is none", () => {
  assert.deepEqual(problemsOf({ "workers/a.ts": 'import { b } from "../audit/b.ts";', "audit/b.ts": "" }), []);
});

test("no room but the benches imports from tests", () => {
  assert.equal(problemsOf({ "workers/a.ts": 'import { b } from "../test/support/b.ts";' }).length, 1);
  assert.equal(problemsOf({ "tools/a.ts": 'import { b } from "../test/support/b.ts";' }).length, 1);
  assert.deepEqual(problemsOf({ "bench/a.ts": 'import { b } from "../test/support/b.ts";' }), []);
});

test("a circle is a problem, whichever file it is entered by", () => {
  const problems = problemsOf({
    "audit/a.ts": 'import "./b.ts";',
    "audit/b.ts": 'import "./c.ts";',
    "audit/c.ts": 'import type { B } from "./b.ts";',
  });
  assert.deepEqual(problems, ["audit/c.ts:1 closes a circle: audit/b.ts -> audit/c.ts -> audit/b.ts."]);
});

test("a pure rule that can read files is a problem", () => {
  assert.equal(problemsOf({ "protocol/a.ts": 'import { readFileSync } from "node:fs";' }).length, 1);
  assert.deepEqual(problemsOf({ "protocol/a.ts": 'import { createHash } from "node:crypto";' }), []);
});
