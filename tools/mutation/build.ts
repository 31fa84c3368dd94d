import { compile, errorsOf, type Message, type Output, type Sources } from "../solidity/compiler.ts";
import { type Suite, suiteSelection, suitesOf } from "../solidity/engine.ts";
import type { Mutant } from "./mutants.ts";
import { textWith } from "./mutants.ts";
import type { Project } from "./project.ts";
import { withSwitches } from "./switches.ts";
import type { FunctionSpan, Span } from "./switchWriter.ts";

/** All mutants that can be chosen at run time, in one program. */
export type Build = {
  suites: Suite[];
  numbers: Map<Mutant, number>;
  /** Those whose own text does not compile. */
  broken: Mutant[];
};

/** Compiles the project with all of `mutants` at once, less those the compiler refuses. */
export function buildSwitched(project: Project, mutants: readonly Mutant[]): Build {
  const broken: Mutant[] = [];
  const full = new Set<string>();
  let left = mutants.filter(({ host }) => host !== undefined);
  for (;;) {
    const numbers = new Map(left.map((mutant, k) => [mutant, k + 1]));
    const { sources, spans, functions } = withSwitches(project.contracts, numbers, full);
    const output = compile(requestFor({ ...sources, ...project.tests }, [...project.suites.keys()]));
    const errors = errorsOf(output);
    if (errors.length === 0) return { suites: suitesOf(output.contracts ?? {}), numbers, broken };
    const filled = errors.filter(isStackTooDeep).flatMap((error) => holders(error, functions));
    if (filled.some(({ key }) => !full.has(key))) {
      for (const { key } of filled) full.add(key);
      continue;
    }
    const refused = new Set(errors.flatMap((error) => refusedBy(error, spans, functions)));
    if (refused.size === 0) throw new Error(errors[0]?.formattedMessage ?? errors[0]?.message);
    for (const { mutant, isOwn } of refused) if (isOwn && !broken.includes(mutant)) broken.push(mutant);
    left = left.filter((mutant) => ![...refused].some((span) => span.mutant === mutant));
  }
}

/** What to compile for one mutant by itself and the tests in `files`. */
export function requestApart(project: Project, mutant: Mutant, files: readonly string[]) {
  const sources = Object.fromEntries(
    project.contracts.map((source) => [
      source.path,
      source.path === mutant.path ? textWith(source, mutant.change) : source.slice(0, source.length),
    ]),
  );
  return requestFor({ ...sources, ...project.tests }, files);
}

/** What to compile for the program as it is. */
export function requestPlain(project: Project) {
  const sources = Object.fromEntries(project.contracts.map((source) => [source.path, source.slice(0, source.length)]));
  return requestFor({ ...sources, ...project.tests }, [...project.suites.keys()]);
}

/** The suites of a compilation; undefined if it has errors. */
export function suitesIn(output: Output): Suite[] | undefined {
  return errorsOf(output).length > 0 ? undefined : suitesOf(output.contracts ?? {});
}

/** Without the optimizer: compiling takes a third of the time, and what contracts do is the same. */
function requestFor(sources: Sources, files: readonly string[]) {
  return { sources, select: suiteSelection(files), settings: { metadata: { appendCBOR: false } } };
}

function isStackTooDeep({ message, formattedMessage = message }: Message): boolean {
  return /stack too deep/i.test(formattedMessage);
}

/** What an error is about: the smallest span that holds its place; if it is in a function's head, all in that function. */
function refusedBy(error: Message, spans: readonly Span[], functions: readonly FunctionSpan[]): Span[] {
  const holding = smallest(holders(error, spans));
  if (holding.length > 0) return holding;
  const around = holders(error, functions);
  const inside = ({ path, start, end, isOwn }: Span) =>
    !isOwn && around.some((other) => path === other.path && other.start <= start && end <= other.end);
  return spans.filter(inside);
}

/** The spans that hold the place of an error. */
function holders<Place extends Span | FunctionSpan>({ sourceLocation: at }: Message, spans: readonly Place[]): Place[] {
  if (at === undefined) return [];
  return spans.filter(({ path, start, end }) => path === at.file && start <= at.start && at.end <= end);
}

function smallest(spans: readonly Span[]): Span[] {
  const least = Math.min(...spans.map(({ start, end }) => end - start));
  return spans.filter(({ start, end }) => end - start === least);
}
