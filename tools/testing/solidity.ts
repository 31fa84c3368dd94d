import { noResults, type Results } from "./results.ts";

/** What Hardhat's task gives back; its declared type is `any`. */
type SolidityRun = {
  success: boolean;
  value?: { summary: Summary } | undefined;
  error?: { summary: Summary } | undefined;
};
type Summary = { passed: number; failed: number; skipped: number; failureOutput?: string | undefined };

/** Compiles everything once, for the Solidity tests and for all that deploys. Throws what Hardhat throws. */
export async function build(): Promise<void> {
  const { default: hre } = await import("hardhat");
  await hre.tasks.getTask("build").run({});
}

/** Runs Solidity test files on Hardhat, which prints them; gives Hardhat's own counts. */
export async function runSolidity(files: string[]): Promise<Results> {
  if (files.length === 0) return noResults();
  const { default: hre } = await import("hardhat");
  const run = (await hre.tasks.getTask(["test", "solidity"]).run({ testFiles: files, noCompile: true })) as SolidityRun;
  const summary = run.value?.summary ?? run.error?.summary ?? { passed: 0, failed: 0, skipped: 0 };
  if (summary.failureOutput) console.log(summary.failureOutput);
  const skips = Array.from({ length: summary.skipped }, () => ({
    file: "test/contracts",
    name: "",
    reason: "skipped by the Solidity test itself",
  }));
  // A run can break without a failing test, for instance where a setUp reverts.
  const failed = run.success ? summary.failed : Math.max(1, summary.failed);
  return { passed: summary.passed, failed, skips };
}
