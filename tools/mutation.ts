import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SingleBar } from "cli-progress";
import { ExitCode, FlockError } from "../protocol/errors.ts";
import { root } from "./files.ts";
import { explanationProblems, readExplanations } from "./mutation/explained.ts";
import { Journal } from "./mutation/journal.ts";
import type { Efforts, Verdict } from "./mutation/judge.ts";
import { type Mutant, mutantsOf } from "./mutation/mutants.ts";
import { readArguments } from "./mutation/options.ts";
import { playMutants } from "./mutation/play.ts";
import { type Project, readProject } from "./mutation/project.ts";
import { contractOf, enough, reportOf, reportText } from "./mutation/report.ts";
import { drawn, sampleOf } from "./mutation/sample.ts";
import { readSources } from "./solidity/compiler.ts";

/** Random input is the same in each run. What survives the first, small one plays again with the last. */
const seed = "0xf10c";
const efforts: Efforts = {
  first: { seed, fuzzRuns: 16, invariantRuns: 2, invariantDepth: 64 },
  last: { seed, fuzzRuns: 64, invariantRuns: 4, invariantDepth: 64 },
};

/** `npm run test:mutation`: changes the contracts in every small way there is and shows what no Solidity test notices. */
async function main(): Promise<void> {
  const { sample, seed, only, list, resume, json } = readArguments();
  const project = readProject();
  const all = project.contracts.flatMap((source) => mutantsOf(source));
  const wanted = only === undefined ? all : all.filter((mutant) => contractOf(mutant) === only);
  if (wanted.length === 0) {
    const names = [...new Set(all.map(contractOf))].join(", ");
    throw new FlockError(`There is no contract ${only} with mutants; there are ${names}.`, {
      exitCode: ExitCode.usage,
    });
  }
  const mutants = sample === undefined ? wanted : sampleOf(wanted, sample, seed);
  if (list) {
    for (const mutant of mutants) console.log(lineOf(mutant));
    return;
  }

  const journal = new Journal(join(root, "cache", "mutation.jsonl"), readSources("contracts", "test/contracts"));
  const { verdicts, leftOut } = await judge(mutants, { project, journal, resume, order: drawn(wanted, seed) });
  const explanations = readExplanations();
  const report = reportOf(mutants, verdicts, { explanations, leftOut });
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(reportText(report));
  const problems = explanationProblems(explanations, all, verdicts);
  for (const problem of problems) console.log(problem);
  process.exitCode = report.score < enough || problems.length > 0 ? ExitCode.unexpected : ExitCode.ok;
}

/** Judges the mutants that the journal does not know, in `order`, and notes each verdict in it. */
async function judge(
  mutants: readonly Mutant[],
  { project, journal, resume, order }: { project: Project; journal: Journal; resume: boolean; order: Mutant[] },
): Promise<{ verdicts: Verdict[]; leftOut: string[] }> {
  const known = resume ? journal.read() : { verdicts: [], leftOut: [] };
  const verdicts = new Map(known.verdicts.map((verdict) => [verdict.id, verdict]));
  const left = order.filter((mutant) => mutants.includes(mutant) && !verdicts.has(mutant.id));
  journal.start(known);
  const format = "{bar} {value} of {total} mutants | {survived} survived | {stage} | {eta_formatted} left";
  const bar = process.stdout.isTTY && left.length > 0 ? new SingleBar({ format }) : undefined;
  bar?.start(mutants.length, mutants.length - left.length, { survived: 0, stage: "" });
  const onVerdict = (verdict: Verdict) => {
    journal.add({ verdict });
    verdicts.set(verdict.id, verdict);
    const survived = [...verdicts.values()].filter(({ status }) => status === "survived").length;
    bar?.increment({ survived });
  };
  const onStage = (stage: string) => (bar === undefined ? console.log(stage) : bar.update({ stage }));
  let leftOut = known.leftOut;
  const onLeftOut = (tests: string[]) => {
    leftOut = tests;
    journal.add({ leftOut });
  };
  if (left.length > 0) await playMutants({ project, mutants: left, efforts, onVerdict, onLeftOut, onStage });
  bar?.stop();
  return { verdicts: mutants.map(({ id }) => verdicts.get(id) as Verdict), leftOut };
}

function lineOf({ id, path, line, within, operator, original, mutated }: Mutant): string {
  return `${id}  ${path}:${line}  ${within}  ${operator}: ${original} -> ${mutated === "" ? "(removed)" : mutated}`;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof FlockError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
process.exit(); // The engine keeps its threads.
