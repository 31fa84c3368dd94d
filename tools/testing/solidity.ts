import { resolve } from "node:path";
import { root } from "../files.ts";
import { noResults, type Results } from "./results.ts";

/** What Hardhat's task gives back, as far as it is used here; its declared type is `any`. */
type SolidityRun = { success: boolean; value?: Suites | undefined; error?: Suites | undefined };
type Suites = { suiteResults: { id: { name: string; source: string }; testResults: TestResult[] }[] };
type TestResult = { name: string; status: "Success" | "Failure" | "Skipped"; reason?: string | undefined };

/** Compiles everything once, for the Solidity tests and for all that deploys. Throws what Hardhat throws. */
export async function build(): Promise<void> {
  const { default: hre } = await import("hardhat");
  await hre.tasks.getTask("build").run({});
}

/** Runs Solidity test files on Hardhat, which prints them. Counts what Hardhat reports, test by test. */
export async function runSolidity(files: string[]): Promise<Results> {
  const results = noResults();
  if (files.length === 0) return results;
  const { default: hre } = await import("hardhat");
  const run = (await hre.tasks.getTask(["test", "solidity"]).run({ testFiles: files, noCompile: true })) as SolidityRun;
  for (const { id, testResults } of (run.value ?? run.error)?.suiteResults ?? []) {
    const file = resolve(root, id.source.replace(/^project\//, ""));
    for (const { name, status, reason } of testResults) {
      if (status === "Success") results.passed++;
      else if (status === "Failure") results.failed++;
      else results.skips.push({ file, name: `${id.name}.${name}`, reason: reason ?? "skipped by the test itself" });
    }
  }
  // The run itself can break, without a test that failed.
  if (!run.success && results.failed === 0) results.failed = 1;
  return results;
}
