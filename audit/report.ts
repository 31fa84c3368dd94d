import type { SettledRound } from "../protocol/replay/state.ts";
import { nameOf, Verdict } from "../protocol/words.ts";
import type { Difference } from "./difference.ts";
import type { HeadCounts } from "./recompute.ts";

/** What an audit of one task found. `heads` only if it was given a store. */
export type AuditReport = {
  chainId: number;
  task: bigint;
  fromBlock: bigint;
  toBlock: bigint;
  /** Events of the whole deployment that were replayed. */
  events: number;
  /** Settled rounds of the task, as the replay rebuilt them. */
  rounds: readonly SettledRound[];
  heads: HeadCounts | undefined;
  /** Everything that differs; the replay itself stops at the first. */
  differences: number;
  firstDifference: Difference | undefined;
};

/** The report as a JSON value: wei and ids as decimal strings. */
export function reportToJson(report: AuditReport): Record<string, unknown> {
  const { chainId, task, fromBlock, toBlock, events, rounds, heads, differences, firstDifference } = report;
  return {
    chainId,
    task: String(task),
    fromBlock: Number(fromBlock),
    toBlock: Number(toBlock),
    events,
    differences,
    firstDifference: firstDifference ?? null,
    heads: heads ?? null,
    rounds: rounds.map((round) => ({
      number: round.number,
      status: round.isVoid ? "void" : "settled",
      pot: String(round.pot),
      paid: String(round.paid),
      slashed: String(round.slashed),
      burned: String(round.burned),
      head: round.headId,
      proposals: round.proposals.map(({ operator, seats, slot, artifact }) => {
        const judged = slot === undefined ? undefined : round.slots[slot];
        return {
          ...{ operator, seats, artifact: artifact ?? null },
          ...{ verdict: judged ? nameOf(Verdict, judged.verdict) : null, median: judged?.median ?? null },
        };
      }),
    })),
  };
}

/** The report as lines for a reader: what was replayed, and the verdict. */
export function reportLines(report: AuditReport): string[] {
  const { chainId, task, fromBlock, toBlock, events, rounds, heads, differences, firstDifference } = report;
  const lines = [
    `Task ${task} on chain ${chainId}: ${events} events of blocks ${fromBlock} to ${toBlock}, ${rounds.length} rounds settled.`,
  ];
  for (const round of rounds) {
    const verdicts = round.slots.map(({ verdict }) => nameOf(Verdict, verdict).toLowerCase()).join(", ");
    lines.push(`Round ${round.number}: ${round.isVoid ? "void" : verdicts}.`);
  }
  if (heads === undefined) lines.push("Heads: not built again; give a store with --store to do so.");
  else {
    const { checked, confirmed, unchecked, missing } = heads;
    lines.push(`Heads: ${checked} built again (${confirmed} confirmed by the voters), ${unchecked} unchecked.`);
    lines.push(...missing.map((what) => `  Not in the store: ${what}.`));
  }
  if (firstDifference === undefined) return [...lines, "No difference: the chain says what the rules say."];
  const { where, expected, found } = firstDifference;
  return [
    ...lines,
    `${differences} ${differences === 1 ? "difference" : "differences"}. The first: ${where}: expected ${expected}, found ${found}.`,
  ];
}
