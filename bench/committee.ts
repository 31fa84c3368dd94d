import { readFile, writeFile } from "node:fs/promises";
import { drawnErrorRates, type VoteErrorRates, voteErrorRates } from "../protocol/committee.ts";
import { ExitCode, FlockError, PermanentError } from "../protocol/errors.ts";
import { quorumOf } from "../protocol/rules/tally.ts";
import { parseTerms, type Terms } from "../protocol/terms.ts";
import { BPS } from "../protocol/words.ts";
import type { OptionValues, Report } from "../tools/bench.ts";
import { fromCaller } from "../tools/files.ts";
import { aggregateVote, type Rates, sampledErrorRates } from "./support/committees.ts";
import { drawRates } from "./support/ratesPlot.ts";

export const options = {
  terms: { type: "string" },
  "expected-voters": { type: "string" },
  "accept-bps": { type: "string" },
  shares: { type: "string" },
  operators: { type: "string" },
  neutral: { type: "string" },
  wrong: { type: "string" },
  draws: { type: "string" },
  seed: { type: "string" },
  svg: { type: "string" },
} as const;

/** About as many as it takes for the seats' number to vary; more change little. */
const OPERATORS = 300;
const SHARES = [0.1, 0.2, 0.3, 1 / 3, 0.4];
const DRAWS = 20_000;

/** What the vote comes to at one share of malicious stake. */
type Row = {
  malicious: number;
  exact: Rates | null; // by the seat formula; null where honest votes may be neutral or wrong
  sampled: ReturnType<typeof sampledErrorRates>;
  independent: Rates; // as if exactly the expected seats voted, each by itself
  aggregate: Rates; // FLock's rule
};

/**
 * Both error rates of the vote, for any terms: exactly by the contracts' seat formula where every honest voter is right,
 * always by playing the rules on drawn seats, and beside them those of FLock's rule.
 */
export default async function committee(given: OptionValues): Promise<Report> {
  const terms = await readTerms(given);
  const operators = whole(given, "operators", OPERATORS, 2, 100_000);
  const draws = whole(given, "draws", DRAWS, 1, 10_000_000);
  const [neutral, wrong] = [fraction(given, "neutral"), fraction(given, "wrong")];
  if (neutral + wrong > 1) throw usage(`--neutral and --wrong are ${neutral + wrong} together, but at most 1 can be.`);
  const seed = given.seed === undefined ? "committee" : String(given.seed);
  const rows = readShares(given).map((malicious): Row => {
    const pool = { malicious, operators };
    return {
      malicious,
      exact: neutral + wrong === 0 ? drawnErrorRates(terms, pool) : null,
      sampled: sampledErrorRates(terms, { ...pool, neutral, wrong, draws, seed }),
      independent: pick(voteErrorRates(terms, { malicious, neutral, wrong })),
      aggregate: aggregateVote(malicious),
    };
  });
  if (typeof given.svg === "string") await writeFile(fromCaller(given.svg), drawRates(terms, operators));
  const { expectedVoters, acceptBps } = terms;
  return {
    lines: [
      `${expectedVoters} seats of voters expected, quorum ${quorumOf(terms)}, decided by ${(100 * acceptBps) / BPS} % of those for and against; ${operators} operators`,
      ...(neutral + wrong === 0
        ? []
        : [`of the honest votes ${percent(neutral)} are neutral and ${percent(wrong)} wrong`]),
      ...tableOf(rows),
      `sampled: ${draws.toLocaleString("en-US")} rounds, seed "${seed}", with the standard error; fixed: as if just ${expectedVoters} seats voted, each by itself;`,
      "FLock: 10 voters, the majority of one vote on the aggregate, a tie accepts",
    ],
    json: { expectedVoters, acceptBps, quorum: quorumOf(terms), operators, neutral, wrong, draws, seed, shares: rows },
  };
}

function pick({ poisonAccepted, honestBlocked }: VoteErrorRates): Rates {
  return { poisonAccepted, honestBlocked };
}

function tableOf(rows: readonly Row[]): string[] {
  const head = ["malicious stake", "", "exact", "sampled", "fixed", "FLock"];
  const cells = rows.flatMap((row) =>
    (["poisonAccepted", "honestBlocked"] as const).map((rate, i) => [
      i === 0 ? percent(row.malicious) : "",
      rate === "poisonAccepted" ? "poison accepted" : "honest blocked",
      row.exact === null ? "-" : percent(row.exact[rate]),
      `${percent(row.sampled[rate])} ± ${percent(row.sampled.standardErrors[rate])}`,
      percent(row.independent[rate]),
      percent(row.aggregate[rate]),
    ]),
  );
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((line) => line[column]!.length)));
  return [head, ...cells].map((line) =>
    `  ${line.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd(),
  );
}

/** Three significant digits, as a percentage. */
function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 12 })} %`;
}

async function readTerms(given: OptionValues): Promise<Terms> {
  const own = {
    ...(given["expected-voters"] === undefined ? {} : { expectedVoters: number(given, "expected-voters") }),
    ...(given["accept-bps"] === undefined ? {} : { acceptBps: number(given, "accept-bps") }),
  };
  let file: unknown = {};
  if (typeof given.terms === "string") {
    const text = await readFile(fromCaller(given.terms), "utf8").catch((cause: Error) => {
      throw new PermanentError(`The terms ${given.terms} cannot be read: ${cause.message}.`, { cause });
    });
    try {
      file = JSON.parse(text);
    } catch (cause) {
      throw new PermanentError(`The terms ${given.terms} are not JSON: ${(cause as Error).message}.`, { cause });
    }
  }
  // What a seat is worth does not matter here.
  return parseTerms(typeof file === "object" && file !== null ? { seatStake: "1", ...file, ...own } : file);
}

function readShares(given: OptionValues): number[] {
  if (given.shares === undefined) return SHARES;
  return String(given.shares)
    .split(",")
    .map((text) => {
      const [over, under = "1"] = text.split("/");
      const share = text.trim() === "" ? Number.NaN : Number(over) / Number(under);
      if (share >= 0 && share <= 1) return share;
      throw usage(`--shares holds "${text}", but must be shares from 0 to 1 parted by commas, such as 0.1,1/3.`);
    });
}

function number(given: OptionValues, option: string): number {
  const value = String(given[option]).trim();
  if (value === "" || !Number.isFinite(Number(value))) throw usage(`--${option} is "${value}", but must be a number.`);
  return Number(value);
}

function whole(given: OptionValues, option: string, otherwise: number, min: number, max: number): number {
  if (given[option] === undefined) return otherwise;
  const value = number(given, option);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw usage(`--${option} is ${value}, but must be a whole number from ${min} to ${max}.`);
}

function fraction(given: OptionValues, option: string): number {
  if (given[option] === undefined) return 0;
  const value = number(given, option);
  if (value >= 0 && value <= 1) return value;
  throw usage(`--${option} is ${value}, but must be a share from 0 to 1.`);
}

function usage(message: string): FlockError {
  return new FlockError(message, { exitCode: ExitCode.usage });
}
