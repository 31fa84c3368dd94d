import { formatEther } from "viem";
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
    rounds: rounds.map(roundToJson),
  };
}

function roundToJson({ number, isVoid, pot, paid, slashed, burned, bounty, headId, ...round }: SettledRound) {
  return {
    ...{ number, status: isVoid ? "void" : "settled", head: headId, referenceHead: round.reference ?? null },
    ...{ pot: String(pot), paid: String(paid), slashed: String(slashed), burned: String(burned) },
    bounty: String(bounty),
    proposals: round.proposals.map(({ operator, seats, slot, artifact }) => {
      const judged = slot === undefined ? undefined : round.slots[slot];
      const verdict = judged && nameOf(Verdict, judged.verdict).toLowerCase();
      return { operator, seats, artifact: artifact ?? null, verdict: verdict ?? null, median: judged?.median ?? null };
    }),
    ballots: round.ballots.map(({ operator, seats, opened }) => ({
      ...{ operator, seats, scores: opened?.scores ?? null, head: opened?.head ?? null },
    })),
    absences: round.absences,
    accounts: round.accounts.map(({ operator, paid, toDelegators, slashed, fromDelegated, bounty: accusers }) => ({
      ...{ operator, paid: String(paid), toDelegators: String(toDelegators) },
      ...{ slashed: String(slashed), fromDelegated: String(fromDelegated), bounty: String(accusers) },
    })),
  };
}

/** The report as lines for a reader: what was replayed, and the verdict. */
export function reportLines(report: AuditReport): string[] {
  const { chainId, task, fromBlock, toBlock, events, rounds, heads, differences, firstDifference } = report;
  const lines = [
    `Task ${task} on chain ${chainId}: ${count(events, "event")} of blocks ${fromBlock} to ${toBlock}, ${count(rounds.length, "round")} settled.`,
  ];
  lines.push(...rounds.map(roundLine));
  if (heads === undefined) lines.push("Heads: not built again; give a store with --store to do so.");
  else {
    const { checked, confirmed, unchecked, missing } = heads;
    lines.push(`Heads: ${checked} built again (${confirmed} confirmed by the voters), ${unchecked} unchecked.`);
    lines.push(...missing.map((what) => `  Not in the store: ${what}.`));
  }
  if (firstDifference === undefined) return [...lines, "No difference: the chain says what the rules say."];
  const { where, expected, found } = firstDifference;
  return [...lines, `${count(differences, "difference")}. The first: ${where}: expected ${expected}, found ${found}.`];
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function roundLine({ number, isVoid, slots, paid, slashed }: SettledRound): string {
  const verdicts = slots.map(({ verdict, median }) => `${nameOf(Verdict, verdict).toLowerCase()} at ${median}`);
  const money = `${formatEther(paid)} FLK paid, ${formatEther(slashed)} slashed`;
  return `Round ${number}: ${isVoid ? "void" : verdicts.join(", ")}; ${money}.`;
}
