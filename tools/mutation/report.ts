import Table from "cli-table3";
import type { Explanation } from "./explained.ts";
import type { Verdict } from "./judge.ts";
import type { Mutant } from "./mutants.ts";

/** Counts of mutants; `explained` are among the survivors. */
export type Counts = { mutants: number; killed: number; survived: number; explained: number; uncompiled: number };

/** What a run found, as it is committed: the same for the same sources on any machine. */
export type Report = Counts & {
  /** Killed of those that compile and are not explained, in percent. */
  score: number;
  /** Tests that measure gas and therefore did not take part. */
  leftOut: string[];
  contracts: Record<string, Counts & { score: number }>;
  operators: Record<string, Counts & { score: number }>;
  survivors: Survivor[];
};

type Survivor = Pick<Mutant, "id" | "path" | "line" | "within" | "operator" | "original" | "mutated"> & {
  why?: string | undefined;
};

/** The least score that is enough, in percent. */
export const enough = 90;

/** Counts verdicts; `mutants` and `verdicts` are in the same order. */
export function reportOf(
  mutants: readonly Mutant[],
  verdicts: readonly Verdict[],
  { explanations, leftOut }: { explanations: readonly Explanation[]; leftOut: string[] },
): Report {
  const why = new Map(explanations.map((explanation) => [explanation.id, explanation.why]));
  const judged = mutants.map((mutant, k) => ({ mutant, verdict: verdicts[k] as Verdict, why: why.get(mutant.id) }));
  const by = (nameOf: (mutant: Mutant) => string) =>
    Object.fromEntries(
      Object.entries(Object.groupBy(judged, ({ mutant }) => nameOf(mutant)))
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, some = []]) => [name, withScore(count(some))]),
    );
  return {
    ...withScore(count(judged)),
    leftOut,
    contracts: by(contractOf),
    operators: by(({ operator }) => operator),
    survivors: judged
      .filter(({ verdict }) => verdict.status === "survived")
      .map(({ mutant: { id, path, line, within, operator, original, mutated }, why }) => ({
        ...{ id, path, line, within, operator, original, mutated },
        ...(why === undefined ? {} : { why }),
      })),
  };
}

/** The contract, library or file of types that a mutant is in. */
export function contractOf({ path }: Mutant): string {
  return path.replace(/^.*\//, "").replace(/\.sol$/, "");
}

/** A table by contract, and every survivor that nobody explained. */
export function reportText({ contracts, survivors, leftOut, ...all }: Report): string {
  const head = ["contract", "mutants", "killed", "survived", "explained", "not compiled", "score"];
  const table = new Table({
    head,
    style: { head: [], border: [], compact: true },
    colAligns: ["left", ...head.slice(1).map(() => "right" as const)],
  });
  for (const [name, counts] of [...Object.entries(contracts), ["all", all] as const]) {
    const { mutants, killed, survived, explained, uncompiled, score } = counts;
    table.push([name, mutants, killed, survived, explained, uncompiled, `${score.toFixed(1)} %`]);
  }
  const open = survivors.filter(({ why }) => why === undefined);
  return [
    table.toString(),
    ...open.map(
      ({ id, path, line, within, original, mutated }) =>
        `${id}  ${path}:${line}  ${within}\n            ${original}\n         -> ${mutated === "" ? "(removed)" : mutated}`,
    ),
    ...(leftOut.length === 0 ? [] : [`Left out, for they measure gas: ${leftOut.join(", ")}.`]),
    `${all.killed} of ${all.mutants - all.uncompiled - all.explained} mutants that can be killed were (${all.score.toFixed(1)} %; ${enough} % are enough).`,
  ].join("\n");
}

function count(judged: readonly { verdict: Verdict; why: string | undefined }[]): Counts {
  const number = (status: Verdict["status"]) => judged.filter(({ verdict }) => verdict.status === status).length;
  const explained = judged.filter(({ verdict, why }) => verdict.status === "survived" && why !== undefined).length;
  return {
    mutants: judged.length,
    killed: number("killed"),
    survived: number("survived"),
    explained,
    uncompiled: number("uncompiled"),
  };
}

function withScore(counts: Counts): Counts & { score: number } {
  const able = counts.killed + counts.survived - counts.explained;
  return { ...counts, score: able === 0 ? 100 : Math.floor((counts.killed / able) * 1000) / 10 };
}
