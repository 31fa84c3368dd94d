import { ExitCode, FlockError } from "../protocol/errors.ts";
import { type Property, readProperties } from "./smt/properties.ts";
import { type Answer, prove, type Result } from "./smt/prove.ts";
import { provedProblems, readProved } from "./smt/proved.ts";
import { solve, z3Version } from "./smt/z3.ts";

/** `npm run test:smt`: which properties of test/smt the model checker proves, refutes, or cannot decide. */
function main(): void {
  const wanted = process.argv.slice(2);
  console.log(z3Version());
  const results: Result[] = propertiesNamed(wanted).map((property) => {
    const started = performance.now();
    const answer = prove(property, solve);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${answer.padEnd(10)}  ${seconds.padStart(5)} s  ${property.name}: ${property.claim}`);
    return { name: property.name, answer };
  });
  console.log(totalOf(results));
  const problems = provedProblems(
    results,
    wanted.length === 0 ? readProved() : readProved().filter((name) => wanted.includes(name)),
  );
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? ExitCode.unexpected : ExitCode.ok;
}

/** All properties, or those of some names. Throws FlockError for a name without a property. */
function propertiesNamed(wanted: readonly string[]): Property[] {
  const all = readProperties();
  const [unknown] = wanted.filter((name) => !all.some((property) => property.name === name));
  if (unknown !== undefined) {
    throw new FlockError(`There is no property ${unknown}. Usage: npm run test:smt [-- PROPERTY ...]`, {
      exitCode: ExitCode.usage,
    });
  }
  return wanted.length === 0 ? all : all.filter(({ name }) => wanted.includes(name));
}

function totalOf(results: readonly Result[]): string {
  const count = (which: Answer) => results.filter(({ answer }) => answer === which).length;
  return `${count("proved")} proved, ${count("not proved")} not proved, ${count("refuted")} refuted.`;
}

try {
  main();
} catch (error) {
  if (!(error instanceof FlockError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
