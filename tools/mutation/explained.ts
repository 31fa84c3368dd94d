import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../files.ts";
import type { Verdict } from "./judge.ts";
import type { Mutant } from "./mutants.ts";

/** A survivor that no test can kill, and why. `id`, `within`, `original` and `mutated` are those of the mutant. */
export type Explanation = { id: string; within: string; original: string; mutated: string; why: string };

/** The committed explanations. */
export function readExplanations(): Explanation[] {
  return JSON.parse(readFileSync(join(root, "tools", "mutation", "explained.json"), "utf8")) as Explanation[];
}

/** What is wrong with explanations, one sentence each: of mutants that are not there, that are others, or that died. */
export function explanationProblems(
  explanations: readonly Explanation[],
  mutants: readonly Mutant[],
  verdicts: readonly Verdict[],
): string[] {
  const byId = new Map(mutants.map((mutant) => [mutant.id, mutant]));
  const verdictOf = new Map(verdicts.map((verdict) => [verdict.id, verdict]));
  const seen = new Set<string>();
  return explanations.flatMap((explanation): string[] => {
    const { id, within, why } = explanation;
    const mutant = byId.get(id);
    const name = `The explanation of mutant ${id} in ${within}`;
    if (seen.has(id)) return [`${name} is there twice.`];
    seen.add(id);
    if (mutant === undefined) return [`${name} is about no mutant of today's contracts: remove it.`];
    if ((["within", "original", "mutated"] as const).some((key) => explanation[key] !== mutant[key])) {
      return [`${name} shows another change than "${mutant.original}" to "${mutant.mutated}" in ${mutant.within}.`];
    }
    if (!/^\S.{19,}\.$/.test(why)) return [`${name} has no sentence that says why.`];
    const verdict = verdictOf.get(id);
    const died = verdict === undefined || verdict.status === "survived" ? undefined : (verdict.by ?? "the compiler");
    return died === undefined ? [] : [`${name} says that nothing kills it, but ${died} does: remove it.`];
  });
}
