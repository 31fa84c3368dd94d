import { parseArgs } from "node:util";
import { ExitCode, FlockError } from "../protocol/errors.ts";
import { check } from "./check.ts";
import { root } from "./files.ts";
import { noResults, type Results, skipLines, sumResults } from "./testing/results.ts";
import { type Depth, selectTests } from "./testing/selection.ts";
import { build, runSolidity } from "./testing/solidity.ts";
import { runTypeScript } from "./testing/typescript.ts";

const usage = "Usage: npm test [-- [--quick | --deep] [--verbose] [FILE or FOLDER ...]]";

/**
 * `npm test`: builds the contracts, runs the Solidity tests, then the TypeScript tests. With CI=true it also runs
 * `npm run check`, and a skip is a failure.
 */
async function main(): Promise<void> {
  const { depth, verbose, paths } = readArguments();
  const inCi = process.env.CI === "true";
  const selection = selectTests({ depth, paths, from: process.env.INIT_CWD ?? process.cwd() });
  process.chdir(root);
  const interrupt = new AbortController();
  const { signal } = interrupt;
  const all: Results[] = [];
  if (inCi && paths.length === 0 && !check()) all.push(failure());
  if (await built()) {
    all.push(await runSolidity(selection.solidity, depth));
    // From here on there are processes of ours to end; before, the signal simply ends this one.
    for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => interrupt.abort());
    const each = selection.units.length + selection.journeys.length === 1;
    all.push(await runTypeScript(selection.units, { concurrency: 2, verbose: verbose || each, signal }));
    all.push(await runTypeScript(selection.journeys, { concurrency: 1, verbose: verbose || each, signal }));
  } else {
    all.push(failure());
  }

  const results = sumResults(all);
  console.log();
  for (const line of skipLines(results.skips)) console.log(line);
  const skipIsFailure = inCi && results.skips.length > 0;
  if (skipIsFailure) console.log("With CI=true a skip is a failure.");
  if (signal.aborted) console.log("Interrupted: the tests that were not reached are not counted.");
  console.log(`${results.passed} passed, ${results.failed} failed, ${results.skips.length} skipped`);
  if (signal.aborted) process.exitCode = ExitCode.interrupted;
  else process.exitCode = results.failed > 0 || skipIsFailure ? ExitCode.unexpected : ExitCode.ok;
}

function readArguments(): { depth: Depth; verbose: boolean; paths: string[] } {
  const flag = { type: "boolean", default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      options: { quick: flag, deep: flag, verbose: flag },
      allowPositionals: true,
    });
    const depth = values.deep ? "deep" : values.quick ? "quick" : "normal";
    return { depth, verbose: values.verbose, paths: positionals };
  } catch (error) {
    throw new FlockError(`${(error as Error).message}\n${usage}`, { cause: error, exitCode: ExitCode.usage });
  }
}

async function built(): Promise<boolean> {
  try {
    await build();
    return true;
  } catch (error) {
    console.error(`The contracts do not build: ${(error as Error).message}`);
    return false;
  }
}

/** Stands for something that had to work before there could be tests. */
function failure(): Results {
  return { ...noResults(), failed: 1 };
}

try {
  await main();
} catch (error) {
  if (!(error instanceof FlockError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
// Hardhat keeps its threads, and a test that broke may have left a handle.
process.exit();
