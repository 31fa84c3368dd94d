import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { ExitCode, FlockError } from "../protocol/errors.ts";
import { gapProblems, readExplainedGaps } from "./coverage/explained.ts";
import { coverageOf } from "./coverage/lines.ts";
import { coverageOptions } from "./coverage/options.ts";
import { readSources } from "./solidity/compiler.ts";

const usage = "Usage: npm run test:coverage [-- --json FILE]";
/** Little: a line that only much luck reaches is not covered. */
const effort = { seed: "0xf10c", fuzzRuns: 16, invariantRuns: 1, invariantDepth: 64 };

/** `npm run test:coverage`: the lines of the contracts that the Solidity tests run, and each one that they do not. */
async function main(): Promise<void> {
  const json = readArguments();
  const files = await coverageOf(readSources("contracts"), readSources("test/contracts"), effort);
  const gaps = files.flatMap((file) => file.gaps);
  const lines = files.reduce((sum, file) => sum + file.lines, 0);
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ lines, covered: lines - gaps.length, files }, null, 2)}\n`);
  }
  const table = new Table({
    head: ["file", "lines", "covered", ""],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right"],
  });
  for (const { path, lines: own, gaps: missed } of [...files, { path: "all", lines, gaps }]) {
    table.push([path, own, own - missed.length, `${((100 * (own - missed.length)) / own).toFixed(1)} %`]);
  }
  console.log(table.toString());
  const problems = gapProblems(gaps, readExplainedGaps());
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? ExitCode.unexpected : ExitCode.ok;
}

function readArguments(): string | undefined {
  try {
    const { json } = parseArgs({ options: coverageOptions }).values;
    return json === undefined ? undefined : resolve(process.env.INIT_CWD ?? ".", json);
  } catch (error) {
    throw new FlockError(`${(error as Error).message}\n${usage}`, { cause: error, exitCode: ExitCode.usage });
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof FlockError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
process.exit(); // The engine keeps its threads.
