import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { defaultTerms } from "../../protocol/terms.ts";
import { root } from "../../tools/files.ts";

/** The figures as `npm start -- --json FILE` writes them (docs/npm-start.schema.json): wei are strings. */
export type Figures = {
  seed: string;
  seconds: number;
  queue: string;
  rounds: {
    status: string;
    proposals: { operator: string; honest: boolean; verdict: string; median: number; slashed: string }[];
  }[];
  domains: { name: string; lossBefore: number; lossAfter: number; exactMatchBefore: number; exactMatchAfter: number }[];
  operators: {
    name: string;
    role: string;
    honest: boolean;
    stakeBefore: string;
    stakeAfter: string;
    earned: string;
  }[];
  audit: { events: number; differences: number; headsChecked: number; headsUnchecked: number };
  folder: string;
};

/** The arguments that make Node do what `npm start -- OPTIONS` does. */
export function startArguments(options: readonly string[]): string[] {
  return ["--disable-warning=ExperimentalWarning", join(root, "workers", "localnet", "start.ts"), ...options];
}

/** Runs `npm start` to its end; gives its figures and what it printed. */
export async function start(options: readonly string[]): Promise<{ figures: Figures; printed: string }> {
  const dir = await mkdtemp(join(tmpdir(), "flock-start-"));
  const json = join(dir, "figures.json");
  try {
    const { stdout } = await promisify(execFile)(process.execPath, startArguments([...options, "--json", json]), {
      cwd: root,
      maxBuffer: 2 ** 24,
    });
    return { figures: JSON.parse(await readFile(json, "utf8")) as Figures, printed: stdout };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export function assertLossFalls({ domains }: Figures): void {
  assert.equal(domains.length, 4);
  for (const { name, lossBefore, lossAfter } of domains) {
    assert.ok(lossAfter < lossBefore, `${name}: ${lossBefore} -> ${lossAfter}`);
  }
}

/** The poisoner is rejected by far in every round in which it proposes, and pays for it; honest updates are accepted. */
export function assertPoisonerPays({ rounds, operators }: Figures): void {
  const proposals = rounds.flatMap((round) => round.proposals);
  for (const { honest, verdict, median } of proposals) {
    assert.equal(verdict, honest ? "accepted" : "rejected");
    if (!honest) assert.ok(median <= -4 * defaultTerms.band, `the poisoner's median is ${median}`);
  }
  const poisoner = operators.find(({ honest, role }) => !honest && role === "trainer");
  assert.ok(poisoner !== undefined);
  assert.ok(
    proposals.some(({ honest }) => !honest),
    "the poisoner never had a seat",
  );
  assert.ok(BigInt(poisoner.stakeAfter) < BigInt(poisoner.stakeBefore), `${poisoner.name} lost nothing`);
}

export function assertNobodyHonestSlashed({ operators }: Figures): void {
  for (const { name, honest, stakeBefore, stakeAfter } of operators) {
    if (honest) assert.equal(stakeAfter, stakeBefore, `${name} was slashed`);
  }
}

export function assertAuditFindsNothing({ audit, rounds }: Figures): void {
  assert.ok(audit.events > 10 * rounds.length, `${audit.events} events`);
  assert.equal(audit.differences, 0);
  assert.equal(audit.headsUnchecked, 0);
}
