import hre from "hardhat";
import { ExitCode, FlockError } from "../protocol/errors.ts";
import { startFlockChain } from "../test/support/flockChain.ts";
import type { OptionValues, Report } from "../tools/bench.ts";
import { median } from "./support/gasRound.ts";
import { ACT_NAMES, type ActName, FLOORS, PEERS, TARGETS } from "./support/gasTargets.ts";
import { OrdinaryTask } from "./support/ordinaryTask.ts";
import { newestTransaction, type Profile, profileLines, profileOf, transactionsByGas } from "./support/profile.ts";
import { playWorst } from "./support/worstSettlement.ts";

export const options = { populations: { type: "string" }, profile: { type: "boolean" } } as const;

/** Passive operators beside those who act. */
const POPULATIONS = [10, 100, 1_000, 10_000];

const SIZE = { proposals: 8, ballots: 16 };

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
  return {
    lines: [...tableOf(table, populations), "", ...peers(), "", ...(await further(populations[0]!))],
    json: table,
  };
}

/** Every act at each of these populations, ascending, on one chain. */
export async function measureGas(populations: readonly number[]): Promise<GasTable> {
  const table = Object.fromEntries(ACT_NAMES.map((act) => [act, {}])) as GasTable;
  const chain = await startFlockChain();
  try {
    const ordinary = await OrdinaryTask.open(chain, { task: 1n, ...SIZE });
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

/** The worst settlement if delegated stake waits for it at all eighty operators. */
export async function measureWorstWithPools(population: number): Promise<number> {
  const chain = await startFlockChain();
  try {
    return median((await playWorst(chain, { task: 1n, population, pools: true })).get("settle")!);
  } finally {
    await chain.close();
  }
}

/** Where the gas goes: of every act that an ordinary round measures, and of the worst settlements. */
async function profile(population: number): Promise<Report> {
  const chain = await startFlockChain();
  try {
    const ordinary = await OrdinaryTask.open(chain, { task: 1n, ...SIZE });
    const before = await chain.client.getBlockNumber();
    const measured = await ordinary.measure(population);
    const found = await transactionsByGas(chain, before);
    const profiles: Record<string, Profile> = {};
    for (const [act, used] of Object.entries(measured)) profiles[act] = await profileOf(chain, found.get(used)!);
    for (const pools of [false, true]) {
      await playWorst(chain, { task: pools ? 3n : 2n, population, pools });
      const name = pools ? "the worst settlement, with delegated stake at all" : "the worst settlement";
      profiles[name] = await profileOf(chain, await newestTransaction(chain));
    }
    const lines = Object.entries(profiles).flatMap(([name, one]) => [...profileLines(name, one), ""]);
    return { lines, json: profiles };
  } finally {
    await chain.close();
  }
}

/** What a settlement costs by its size. */
async function further(population: number): Promise<string[]> {
  const chain = await startFlockChain();
  try {
    let task = 0n;
    const settle = async (proposals: number, ballots: number) =>
      (await OrdinaryTask.open(chain, { task: ++task, proposals, ballots })).settle();
    const [small, moreProposals, moreBallots] = [await settle(1, 4), await settle(8, 4), await settle(1, 39)];
    const [proposal, ballot] = [(moreProposals - small) / 7, (moreBallots - small) / 35];
    const whole = small - proposal - 4 * ballot;
    return [
      `a settlement costs ${grouped(Math.round(whole))}, ${grouped(Math.round(proposal))} a proposal and ${grouped(Math.round(ballot))} a ballot;`,
      `the worst one, with delegated stake waiting for it at all eighty operators, ${grouped(await measureWorstWithPools(population))}`,
    ];
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
