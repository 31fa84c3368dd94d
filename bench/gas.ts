import hre from "hardhat";
import { ExitCode, FlockError } from "../protocol/errors.ts";
import { startFlockChain } from "../test/support/flockChain.ts";
import type { OptionValues, Report } from "../tools/bench.ts";
import { median } from "./support/gasRound.ts";
import { ACT_NAMES, type ActName, FLOORS, PEERS, TARGETS } from "./support/gasTargets.ts";
import { OrdinaryTask } from "./support/ordinaryTask.ts";
import { newestTransaction, profileLines, profileOf } from "./support/profile.ts";
import { playWorst } from "./support/worstSettlement.ts";

export const options = { populations: { type: "string" }, profile: { type: "boolean" } } as const;

/** Passive operators beside those who act. */
const POPULATIONS = [10, 100, 1_000, 10_000];

/** Gas by act and population. */
export type GasTable = Record<ActName, Record<string, number>>;

/**
 * Gas of whole transactions under the production profile, slots used before unless named First: one task with 8 proposals
 * and 16 ballots, and the worst settlement there is, at growing numbers of staked operators.
 */
export default async function gas(given: OptionValues): Promise<Report> {
  const populations = readPopulations(given);
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true, defaultBuildProfile: "production" });
  if (given.profile === true) return profile(populations[0]!);
  const table = await measureGas(populations);
  return { lines: [...tableOf(table, populations), "", ...peers(), "", await withPools(populations[0]!)], json: table };
}

/** Every act at each of these populations, ascending, on one chain. */
export async function measureGas(populations: readonly number[]): Promise<GasTable> {
  const table = Object.fromEntries(ACT_NAMES.map((act) => [act, {}])) as GasTable;
  const chain = await startFlockChain();
  try {
    const ordinary = await OrdinaryTask.open(chain);
    for (const [i, population] of populations.entries()) {
      const note = (act: ActName, value: number) => (table[act][String(population)] = value);
      for (const [act, value] of Object.entries(await ordinary.measure(population))) note(act as ActName, value);
      const worst = await playWorst(chain, { task: BigInt(i + 2), population });
      note("commitBallotFirst", median(worst.get("commitBallot")!));
      note("revealBallot", median(worst.get("revealBallot")!));
      note("settleWorst", median(worst.get("settle")!));
    }
  } finally {
    await chain.close();
  }
  return table;
}

/** Where the gas of a settlement goes, of an ordinary and of the worst one. */
async function profile(population: number): Promise<Report> {
  const chain = await startFlockChain();
  try {
    const ordinary = await OrdinaryTask.open(chain);
    await ordinary.settle();
    const usual = await profileOf(chain, await newestTransaction(chain));
    await playWorst(chain, { task: 2n, population });
    const worst = await profileOf(chain, await newestTransaction(chain));
    return {
      lines: [
        ...profileLines("settlement of 8 proposals and 16 ballots", usual),
        "",
        ...profileLines("the worst settlement, of 16 proposals and 64 ballots", worst),
      ],
      json: { settle: usual, settleWorst: worst },
    };
  } finally {
    await chain.close();
  }
}

async function withPools(population: number): Promise<string> {
  const chain = await startFlockChain();
  try {
    const worst = await playWorst(chain, { task: 1n, population, pools: true });
    const settle = median(worst.get("settle")!);
    return `  the worst settlement with delegated stake waiting for it at all eighty operators: ${grouped(settle)}`;
  } finally {
    await chain.close();
  }
}

function tableOf(table: GasTable, populations: readonly number[]): string[] {
  const [least, most] = [String(populations[0]), String(populations.at(-1))];
  const head = ["gas of", ...populations.map((n) => `at ${grouped(n)}`), "growth", "target", "", "floor"];
  const rows = ACT_NAMES.map((act) => {
    const growth = (100 * (table[act][most]! - table[act][least]!)) / table[act][least]!;
    const isMet = Math.max(...Object.values(table[act])) <= TARGETS[act];
    const floor = FLOORS[act];
    return [
      act,
      ...populations.map((n) => grouped(table[act][String(n)]!)),
      `${growth.toFixed(2)} %`,
      grouped(TARGETS[act]),
      isMet ? "met" : "MISSED",
      floor === undefined ? "-" : grouped(floor),
    ];
  });
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ")}`;
  return [head, ...rows].map(line);
}

function peers(): string[] {
  const width = Math.max(...PEERS.map(([act]) => act.length));
  return [
    "published by others:",
    ...PEERS.map(([act, figure, source]) => `  ${act.padEnd(width)}  ${figure} (${source})`),
  ];
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

function readPopulations(given: OptionValues): number[] {
  if (given.populations === undefined) return POPULATIONS;
  const numbers = String(given.populations).split(",").map(Number);
  const isAscending = numbers.every((n, i) => Number.isInteger(n) && n > (numbers[i - 1] ?? 0) && n <= 100_000);
  if (isAscending) return numbers;
  throw new FlockError(
    `--populations is "${given.populations}", but must be ascending whole numbers from 1 to 100000 parted by commas.`,
    { exitCode: ExitCode.usage },
  );
}
