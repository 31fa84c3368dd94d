import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, errorsOf, readSources, type Sources } from "../../tools/solidity/compiler.ts";
import { type Effort, Runner, type Suite, suiteSelection, suitesOf } from "../../tools/solidity/engine.ts";
import { defences } from "../support/defences/all.ts";

const effort: Effort = { seed: "0xf10c", fuzzRuns: 1000, invariantRuns: 1, invariantDepth: 1 };

const sources = readSources("contracts", "test/contracts");
const fileOf = (test: string) => `test/contracts/${test.split("#")[0]}.t.sol`;
const nameOf = (test: string) => test.split("#")[1] ?? "";

/** Compiled without the optimizer: it takes a third of the time, and what contracts do is the same. */
function suitesIn(all: Sources, files: readonly string[]): Suite[] {
  const output = compile({
    sources: all,
    select: suiteSelection(files),
    settings: { metadata: { appendCBOR: false } },
  });
  assert.deepEqual(
    errorsOf(output).map(({ formattedMessage }) => formattedMessage),
    [],
  );
  return suitesOf(output.contracts ?? {});
}

/** Names and reasons of the tests that fail. */
async function failuresOf(runner: Runner, suites: readonly Suite[]): Promise<Map<string, string>> {
  const { failures } = await runner.run(suites, effort);
  return new Map(failures.map(({ test, reason }) => [test.replace(/\(.*/, ""), reason]));
}

test("each answer of the contracts has a test that passes with it and fails without", async (t) => {
  const runner = await Runner.start();
  const files = [...new Set(defences.map(({ test }) => fileOf(test)))];
  const before = await failuresOf(runner, suitesIn(sources, files));
  for (const { test } of defences) assert.equal(before.get(nameOf(test)), undefined, `${test} fails as it is`);

  for (const { file, text, mutated, test } of defences) {
    await t.test(`${test} fails without "${text.split("\n")[0]}"`, async (t) => {
      const path = `contracts/${file}`;
      const source = (sources[path] as string).replace(text, () => mutated);
      const failures = await failuresOf(runner, suitesIn({ ...sources, [path]: source }, [fileOf(test)]));
      const reason = failures.get(nameOf(test));
      assert.notEqual(reason, undefined, `it passes; others that fail: ${[...failures.keys()].join(", ")}`);
      t.diagnostic(reason as string);
    });
  }
});
