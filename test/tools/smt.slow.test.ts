import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { root } from "../../tools/files.ts";
import { propertiesOf, readProperties } from "../../tools/smt/properties.ts";
import { prove } from "../../tools/smt/prove.ts";
import { provedProblems, readProved } from "../../tools/smt/proved.ts";
import { solve } from "../../tools/smt/z3.ts";
import { readSources } from "../../tools/solidity/compiler.ts";
import { requires } from "../support/requires.ts";

const skip = requires("z3");
const path = "contracts/libraries/StakePool.sol";

/** What the model checker says of one property of today's libraries, in which `text` reads `instead`. */
function answerOf(name: string, [text, instead] = ["", ""]): string {
  const libraries = readSources("contracts/interfaces", "contracts/libraries", "contracts/types");
  const library = libraries[path] ?? "";
  assert.ok(library.includes(text));
  libraries[path] = library.replace(text, instead);
  const { "test/smt/support/Math.sol": math = "", ...files } = readSources("test/smt");
  const property = propertiesOf(files, libraries, math).find((other) => other.name === name);
  assert.ok(property !== undefined);
  return prove(property, solve);
}

test("what holds is proved, and refuted once the contract breaks it", { skip }, () => {
  assert.equal(answerOf("TouchConserves"), "proved");
  assert.equal(answerOf("TouchConserves", ["self.left += self.leaving;", ""]), "refuted");
  assert.equal(answerOf("TouchConserves", ["self.active += self.joining;", "self.active = self.joining;"]), "refuted");
});

test("what nothing reaches is not proved", { skip }, () => {
  assert.equal(answerOf("TouchConserves", ["if (self.joinRound != open) {", "while (true) {}\n{"]), "not proved");
});

test("without z3 the command names the package to install", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, "tools", "smt.ts")], {
    env: { ...process.env, PATH: "" },
    encoding: "utf8",
  });
  assert.deepEqual(
    [status, stderr],
    [1, "The model checker needs the solver z3, which is not here: install Debian's package z3.\n"],
  );
});

test("every property that is called proved is one of test/smt, with a claim in words", () => {
  const properties = readProperties();
  const names = properties.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    readProved().filter((name) => !names.includes(name)),
    [],
  );
  for (const { name, claim } of properties) assert.match(claim, /^[A-Z].{19,}\.$/, name);
});

test("a proof that is lost, a refuted property and a list that is behind are problems", () => {
  assert.deepEqual(provedProblems([{ name: "A", answer: "proved" }], ["A"]), []);
  assert.deepEqual(provedProblems([{ name: "A", answer: "not proved" }], []), []);
  assert.deepEqual(provedProblems([{ name: "A", answer: "not proved" }], ["A"]), ["A is not proved any more."]);
  assert.match(provedProblems([{ name: "A", answer: "refuted" }], [])[0] ?? "", /^A is refuted/);
  assert.match(provedProblems([{ name: "A", answer: "proved" }], [])[0] ?? "", /^A is proved: add it to/);
  assert.match(provedProblems([], ["A"])[0] ?? "", /names A, which is no property/);
});
