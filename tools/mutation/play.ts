import { FlockError } from "../../protocol/errors.ts";
import { type Failure, Runner, type Suite } from "../solidity/engine.ts";
import { buildSwitched, requestApart, requestPlain, suitesIn } from "./build.ts";
import { Compilers } from "./compilers.ts";
import { type Efforts, Judge, type Verdict, verdictOf } from "./judge.ts";
import type { Mutant } from "./mutants.ts";
import type { Project } from "./project.ts";
import { producerOf } from "./switches.ts";

const unchanged = { producer: producerOf(0) };

/** Mutants judged at the same time, and compilers. */
const concurrency = 2;

export type Play = {
  project: Project;
  mutants: readonly Mutant[];
  efforts: Efforts;
  /** Called with each verdict, in the order in which they come. */
  onVerdict?: ((verdict: Verdict) => void) | undefined;
  /** Called with the tests that do not take part, before the first verdict that depends on them. */
  onLeftOut?: ((tests: string[]) => void) | undefined;
  onStage?: ((stage: string) => void) | undefined;
};

/** Judges mutants, those first that come first. Gives the verdicts in their order. */
export async function playMutants(play: Play): Promise<{ verdicts: Verdict[] }> {
  const { project, mutants, efforts, onStage } = play;
  const runner = await Runner.start();
  const compilers = new Compilers(concurrency);
  const verdicts = new Map<Mutant, Verdict>();
  const decide = (mutant: Mutant, verdict: Verdict) => {
    verdicts.set(mutant, verdict);
    play.onVerdict?.(verdict);
  };
  try {
    onStage?.("compiling the program as it is");
    const plain = suitesIn(await compilers.compile(requestPlain(project)));
    if (plain === undefined) throw new FlockError("The contracts or their tests do not compile.");
    onStage?.("running the tests without a mutant");
    const before = (await runner.run(plain, efforts.last)).failures;

    onStage?.(`compiling ${mutants.length} mutants`);
    const { suites, numbers, broken } = buildSwitched(project, mutants);
    for (const mutant of broken) decide(mutant, { id: mutant.id, status: "uncompiled" });
    const leftOut = onlyGas([...before, ...(await runner.run(suites, efforts.first, unchanged)).failures]);
    runner.leaveOut(leftOut);
    play.onLeftOut?.(leftOut);
    const { took } = await runner.run(suites, efforts.first, unchanged);
    const judge = new Judge(runner, efforts, took);

    onStage?.("running the tests against each mutant");
    const left = mutants.filter((mutant) => !verdicts.has(mutant));
    await inParallel(left, async (mutant) => {
      const number = numbers.get(mutant);
      if (number === undefined) return decide(mutant, await judgeApart(mutant, { project, judge, compilers }));
      const failure = await judge.firstFailure(mutant, reaching(project, mutant, [...took.keys()]), number);
      return decide(mutant, verdictOf(mutant, failure));
    });
    return { verdicts: mutants.map((mutant) => verdicts.get(mutant) as Verdict) };
  } finally {
    await compilers.close();
  }
}

/** Compiles one mutant by itself: first with the tests that need little else, then with the others. */
async function judgeApart(
  mutant: Mutant,
  { project, judge, compilers }: { project: Project; judge: Judge; compilers: Compilers },
): Promise<Verdict> {
  const sizes = new Map([...project.suites].map(([path, reached]) => [path, reached.size]));
  const files = [...sizes.keys()].filter((path) => project.suites.get(path)?.has(mutant.path));
  const half = Math.max(0, ...sizes.values()) / 2;
  const [light, heavy] = [true, false].map((isLight) => files.filter((path) => sizes.get(path)! <= half === isLight));
  for (const some of [light, heavy]) {
    if (some === undefined || some.length === 0) continue;
    const suites = suitesIn(await compilers.compile(requestApart(project, mutant, some)));
    if (suites === undefined) return { id: mutant.id, status: "uncompiled" };
    const failure = await judge.firstFailure(mutant, suites, 0);
    if (failure !== undefined) return verdictOf(mutant, failure);
  }
  return verdictOf(mutant, undefined);
}

function reaching({ suites: files }: Project, mutant: Mutant, suites: readonly Suite[]): Suite[] {
  return suites.filter(({ path }) => files.get(path)?.has(mutant.path));
}

/** The tests must pass before they are asked to fail; those that measure gas cannot in a program of many mutants. */
function onlyGas(failures: readonly Failure[]): string[] {
  const others = failures.filter(({ test }) => !/gas/i.test(test));
  const [first] = others;
  if (first !== undefined) {
    const { suite, test, reason } = first;
    throw new FlockError(`${suite.name}.${test} fails without any mutant (${reason}): mend it first.`);
  }
  return [...new Set(failures.map(({ test }) => test.replace(/\(.*/, "")))].sort();
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values();
  const lane = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}
