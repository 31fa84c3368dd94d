import { FlockError } from "../../protocol/errors.ts";
import { compile, errorsOf, type Sources } from "../solidity/compiler.ts";
import { type Effort, instrument, Runner, suiteSelection, suitesOf } from "../solidity/engine.ts";

/** How many lines of a file statements and blocks begin on, and those of them with one that never ran. */
export type FileCoverage = { path: string; lines: number; gaps: Gap[] };

/** A line with a statement or the begin of a block that no test runs; `code` without its indentation. */
export type Gap = { path: string; line: number; code: string };

type Statement = { path: string; line: number; tag: string };

/** More than any test uses with the reports of its statements: one without gas would play again, tracing all of them. */
const gas = 1n << 40n;

/**
 * Runs the tests in `tests` and gives what they covered of `contracts`. Tests whose name has `gas` do not take part, for
 * the reports of the statements cost gas. Throws FlockError if another test fails.
 */
export async function coverageOf(contracts: Sources, tests: Sources, effort: Effort): Promise<FileCoverage[]> {
  const statements: Statement[] = [];
  const sources: Sources = { ...tests };
  for (const [path, text] of Object.entries(contracts)) {
    const { source, metadata, library } = instrument(path, text);
    sources[path] = source;
    sources[library.filename] = library.content;
    for (const { tag, startUtf16 } of metadata) {
      statements.push({ path, line: lineOf(text, startUtf16), tag: hex(tag) });
    }
  }
  const files = Object.keys(tests).filter((path) => path.endsWith(".t.sol"));
  const output = compile({ sources, select: suiteSelection(files) });
  const [error] = errorsOf(output);
  if (error !== undefined) throw new FlockError(error.formattedMessage ?? error.message);

  const ran = new Set<string>();
  const onCovered = (tags: Uint8Array[]) => {
    for (const tag of tags) ran.add(hex(tag));
  };
  const runner = await Runner.start();
  runner.leaveOut([".*[gG]as.*"]);
  // One by one: the engine holds all reports of a run until its end.
  for (const suite of suitesOf(output.contracts ?? {})) {
    const [failure] = (await runner.run([suite], effort, { gas, onCovered })).failures;
    if (failure !== undefined) throw new FlockError(`${suite.name}.${failure.test} fails (${failure.reason}).`);
  }
  return Object.entries(contracts).flatMap(([path, text]) => fileCoverage(path, text, { statements, ran }));
}

function fileCoverage(
  path: string,
  text: string,
  { statements, ran }: { statements: readonly Statement[]; ran: ReadonlySet<string> },
): FileCoverage[] {
  const own = statements.filter((statement) => statement.path === path);
  const lines = new Set(own.map(({ line }) => line));
  const missed = new Set(own.filter(({ tag }) => !ran.has(tag)).map(({ line }) => line));
  const code = text.split("\n");
  const gaps = [...missed].sort((a, b) => a - b).map((line) => ({ path, line, code: (code[line - 1] ?? "").trim() }));
  return lines.size === 0 ? [] : [{ path, lines: lines.size, gaps }];
}

/** The line of the first character of a statement; white space before it belongs to it here. */
function lineOf(text: string, start: number): number {
  const first = start + /^\s*/.exec(text.slice(start))![0].length;
  return text.slice(0, first).split("\n").length;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
