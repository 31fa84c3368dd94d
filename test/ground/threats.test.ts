import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../tools/files.ts";
import { defences } from "../support/defences/all.ts";
import { problemOf, threatRows } from "../support/threats.ts";

const rows = threatRows(readFileSync(join(root, "docs/threats.md"), "utf8"));
const upTo = (letter: string, last: number) => Array.from({ length: last }, (_, i) => `${letter}${i + 1}`);

test("every number stands in the threat table, and once", () => {
  const expected = [...upTo("T", 20), "T1b", ...upTo("F", 36), "F6b", ...upTo("P", 26), ...upTo("I", 22)];
  assert.deepEqual(rows.flatMap(({ ids }) => ids).toSorted(), expected.toSorted());
});

test("every row names a test, and every test that it names is there", () => {
  for (const { ids, tests } of rows) {
    assert.ok(tests.length > 0, `${ids} names no test`);
    for (const name of tests) assert.equal(problemOf(name), undefined, `${ids}`);
  }
});

test("every attack is answered by somebody who is told of", () => {
  const known = ["contracts", "terms", "workers", "audit"];
  for (const { ids, answeredBy } of rows) {
    if (ids[0]?.startsWith("I")) continue;
    assert.ok(answeredBy.length > 0 && answeredBy.every((who) => known.includes(who)), `${ids}: ${answeredBy}`);
  }
});

test("where the contracts answer, the answer can be taken away from one of the row's tests", () => {
  const named = new Set(rows.flatMap(({ tests }) => tests));
  for (const { test } of defences) assert.ok(named.has(test), `no row names ${test}`);
  const without = rows.filter(
    ({ answeredBy, tests }) =>
      answeredBy.includes("contracts") &&
      tests.some((name) => name.includes("#test_")) &&
      !defences.some(({ test }) => tests.includes(test)),
  );
  assert.deepEqual(without, []);
});

test("each answer that can be taken away is one place of the contract that it names", () => {
  for (const { file, text, mutated } of defences) {
    const source = readFileSync(join(root, "contracts", file), "utf8");
    assert.equal(source.split(text).length - 1, 1, `${file} must have "${text}" once`);
    assert.notEqual(text, mutated);
  }
});

test("a test that is not there, or not clear, is a problem", () => {
  assert.equal(problemOf("attacks/Votes#test_T10_extremeScoresMoveNoMedian"), undefined);
  assert.match(problemOf("attacks/Votes#test_T10_extreme") ?? "", /^0 tests of/);
  assert.match(problemOf("attacks/Nowhere#test_T10") ?? "", /^there is no/);
  assert.match(problemOf("protocol/rules/tally#a ") ?? "", /^\d+ tests of/);
  assert.match(problemOf("protocol/rules/tally#") ?? "", /^\d+ tests of/);
});

test("rows are read with their numbers, who answers, and their tests", () => {
  const page =
    "| id | attack | answered by | how | test |\n| T1b, P10 | x | contracts, terms | y | `a/b#c, d`, `e#f` |";
  assert.deepEqual(threatRows(page), [
    { ids: ["T1b", "P10"], answeredBy: ["contracts", "terms"], tests: ["a/b#c, d", "e#f"] },
  ]);
  assert.deepEqual(threatRows("| I1 | x | `a#b` |"), [{ ids: ["I1"], answeredBy: [], tests: ["a#b"] }]);
});
