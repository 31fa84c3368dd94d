import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { mutants, mutate } from "../support/mutants.ts";

const contracts = join(import.meta.dirname, "../../contracts");

test("each invariant has a mutant", () => {
  assert.deepEqual(
    mutants.map(({ invariant }) => invariant),
    Array.from({ length: 18 }, (_, i) => i + 1),
  );
});

test("each mutant changes one place of the contract it names", async () => {
  for (const mutant of mutants) {
    const source = await readFile(join(contracts, mutant.file), "utf8");
    assert.notEqual(mutate(source, mutant), source);
  }
});

test("a mutant whose line is gone, or not alone, is refused", () => {
  const mutant = { invariant: 1, file: "A.sol", text: "x;", mutated: "" };
  assert.throws(() => mutate("y;", mutant), /has 0 times/);
  assert.throws(() => mutate("x; x;", mutant), /has 2 times/);
});
