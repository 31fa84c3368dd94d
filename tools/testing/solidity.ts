import { resolve } from "node:path";
import { root } from "../files.ts";
import { type CallCounts, callMix, mixLines, tooRare } from "./callMix.ts";
import { noResults, type Results } from "./results.ts";
import type { Depth } from "./selection.ts";

/** What Hardhat's task gives back, as far as it is used here; its declared type is `any`. */
type SolidityRun = { success: boolean; value?: Suites | undefined; error?: Suites | undefined };
type Suites = { suiteResults: { id: { name: string; source: string }; testResults: TestResult[] }[] };
type TestResult = {
  name: string;
  status: "Success" | "Failure" | "Skipped";
  reason?: string | undefined;
  kind: { metrics?: CallCounts | undefined };
};

/** Compiles everything once, for the Solidity tests and for all that deploys. Throws what Hardhat throws. */
export async function build(): Promise<void> {
  const { default: hre } = await import("hardhat");
  await hre.tasks.getTask("build").run({});
}

/** Sequences a campaign of invariants plays, in parts of the configured ones. */
const campaigns: Record<Depth, number> = { quick: 1 / 32, normal: 1, deep: 10 };
/** Inputs of each fuzz test, likewise. */
const inputs: Record<Depth, number> = { quick: 1 / 16, normal: 1, deep: 1 };

/**
 * Runs Solidity test files on Hardhat, which prints them. Counts what Hardhat reports, test by test, and prints what the
 * campaigns of invariants called; an act that is accepted too rarely counts as a failed test.
 */
export async function runSolidity(files: string[], depth: Depth): Promise<Results> {
  const results = noResults();
  if (files.length === 0) return results;
  const { default: hre } = await import("hardhat");
  const { fuzz, invariant } = hre.config.test.solidity.profiles.default ?? {};
  if (invariant?.runs !== undefined) invariant.runs = Math.ceil(invariant.runs * campaigns[depth]);
  if (fuzz?.runs !== undefined) fuzz.runs = Math.ceil(fuzz.runs * inputs[depth]);
  console.log(
    `Random input: seed ${fuzz?.seed}; ${fuzz?.runs} runs of each fuzz test, ${invariant?.runs} x ${invariant?.depth} calls of each invariant.`,
  );
  const run = (await hre.tasks.getTask(["test", "solidity"]).run({ testFiles: files, noCompile: true })) as SolidityRun;
  for (const { id, testResults } of (run.value ?? run.error)?.suiteResults ?? []) {
    const file = resolve(root, id.source.replace(/^project\//, ""));
    for (const { name, status, reason } of testResults) {
      if (status === "Success") results.passed++;
      else if (status === "Failure") results.failed++;
      else results.skips.push({ file, name: `${id.name}.${name}`, reason: reason ?? "skipped by the test itself" });
    }
    results.failed += reportMix(id.name, testResults);
  }
  // The run itself can break, without a test that failed.
  if (!run.success && results.failed === 0) results.failed = 1;
  return results;
}

/** Prints the call mix of a suite that has campaigns. Gives the number of acts that were accepted too rarely. */
function reportMix(suite: string, tests: readonly TestResult[]): number {
  const counts = tests.flatMap(({ kind, status }) => (kind.metrics && status === "Success" ? [kind.metrics] : []));
  if (counts.length === 0) return 0;
  const mix = callMix(counts);
  for (const line of mixLines(suite, mix)) console.log(line);
  const rare = tooRare(mix);
  for (const { act, calls, accepted } of rare) {
    console.error(
      `${suite}: ${act} was accepted ${accepted} times in ${calls} calls, less than 5 %: it is hardly tested.`,
    );
  }
  return rare.length;
}
