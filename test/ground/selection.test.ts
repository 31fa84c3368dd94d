import assert from "node:assert/strict";
import { resolve } from "node:path";
import test from "node:test";
import { root } from "../../tools/files.ts";
import { isIncluded, selectTests } from "../../tools/testing/selection.ts";

const here = (path: string) => resolve(root, path);

test("a quick run leaves out journeys and slow files, a normal one only deep ones", () => {
  const included = (path: string) =>
    (["quick", "normal", "deep"] as const).map((depth) => isIncluded(here(path), depth));
  assert.deepEqual(included("test/protocol/a.test.ts"), [true, true, true]);
  assert.deepEqual(included("test/protocol/a.slow.test.ts"), [false, true, true]);
  assert.deepEqual(included("test/journeys/a.test.ts"), [false, true, true]);
  assert.deepEqual(included("test/journeys/a.deep.test.ts"), [false, false, true]);
});

test("a run without paths takes every group", () => {
  const { solidity, units, journeys } = selectTests({ depth: "deep", paths: [], from: root });
  assert.ok(units.includes(here("test/ground/selection.test.ts")));
  assert.ok(solidity.every((file) => file.endsWith(".t.sol")));
  assert.ok(journeys.every((file) => file.startsWith(here("test/journeys/"))));
});

test("a path may be a file or a folder, from where the user stands", () => {
  const file = here("test/ground/selection.test.ts");
  assert.deepEqual(selectTests({ depth: "quick", paths: ["selection.test.ts"], from: here("test/ground") }).units, [
    file,
  ]);
  assert.ok(selectTests({ depth: "quick", paths: ["test/ground"], from: root }).units.includes(file));
});

test("a deep file that is named runs at any depth", () => {
  const deep = "test/ground/clone.deep.test.ts";
  assert.deepEqual(selectTests({ depth: "quick", paths: [deep], from: root }).units, [here(deep)]);
});

test("a path that is not there, or has no tests, is refused by name", () => {
  const select = (path: string) => () => selectTests({ depth: "quick", paths: [path], from: root });
  assert.throws(select("test/none.test.ts"), { message: /There is no test\/none\.test\.ts/, exitCode: 2 });
  assert.throws(select("test/support"), { message: /test\/support has no tests/, exitCode: 2 });
});
