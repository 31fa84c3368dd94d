import { z } from "zod";
import { PermanentError } from "./errors.ts";
import { BPS, nameOf, Payout, Roles } from "./words.ts";

/**
 * The rules of one task, frozen when it is created. Keys, order and widths are those of the contract's struct.
 * `seatStake` in wei; phases, grace, unbonding and idleAfter in seconds; bands in score units; `...Bps` in basis points.
 */
export type Terms = {
  seatStake: bigint;
  propose: number;
  publish: number;
  ballot: number;
  reveal: number;
  grace: number;
  unbonding: number;
  rankRatioBps: number;
  maxLeverage: number;
  rounds: number;
  expectedTrainers: number;
  expectedVoters: number;
  maxVoids: number;
  acceptBps: number;
  minGain: number;
  band: number;
  dissentBand: number;
  toleranceBps: number;
  rejectBps: number;
  unrevealedBps: number;
  dissentBps: number;
  headBps: number;
  absentBps: number;
  voterShareBps: number;
  idleAfter: number;
  roles: Roles;
  payout: Payout;
};

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Every term has a default but the stake of a seat, which depends on the token's worth. */
export const defaultTerms: Omit<Terms, "seatStake"> = {
  propose: 6 * HOUR,
  publish: 30 * MINUTE,
  ballot: 2 * HOUR,
  reveal: 30 * MINUTE,
  grace: 12 * HOUR, // above the force-inclusion delay of the large rollups
  unbonding: 7 * DAY,
  rankRatioBps: 8500, // Ranked only: the pay of a rank in parts of the rank before
  maxLeverage: 9,
  rounds: 10,
  expectedTrainers: 6,
  expectedVoters: 36,
  maxVoids: 5,
  acceptBps: 6000,
  minGain: 5,
  band: 50,
  dissentBand: 200, // at least three times the measured spread between honest voters
  toleranceBps: 2500,
  rejectBps: 3000,
  unrevealedBps: 1500,
  dissentBps: 1000,
  headBps: 500,
  absentBps: 200,
  voterShareBps: 3000,
  idleAfter: 30 * DAY,
  roles: Roles.Declared,
  payout: Payout.Proportional,
};

/** Lowest and highest value of each term by itself; `crossBounds` has the bounds between terms. */
export const termBounds: { [K in keyof Terms]: readonly [min: Terms[K], max: Terms[K]] } = {
  seatStake: [1n, 2n ** 88n - 1n],
  propose: [1, 30 * DAY],
  publish: [1, 30 * DAY],
  ballot: [1, 30 * DAY],
  reveal: [1, 30 * DAY],
  grace: [0, 30 * DAY],
  unbonding: [1, 180 * DAY],
  rankRatioBps: [1, BPS],
  maxLeverage: [0, 100],
  rounds: [1, 65_535],
  expectedTrainers: [1, 8], // beyond 8 and 40, sixteen slots and 64 ballots overflow too often
  expectedVoters: [1, 40],
  maxVoids: [1, 255],
  acceptBps: [5001, 9000],
  minGain: [0, 16_383],
  band: [1, 16_383],
  dissentBand: [1, 16_383],
  toleranceBps: [0, BPS],
  rejectBps: [0, 5000],
  unrevealedBps: [0, 5000],
  dissentBps: [0, 5000],
  headBps: [0, 5000],
  absentBps: [0, 5000],
  voterShareBps: [1, 5000],
  idleAfter: [1, 180 * DAY],
  roles: [Roles.Declared, Roles.Drawn],
  payout: [Payout.Proportional, Payout.Ranked],
};

/** Seconds from the opening of a round to its last possible deadline, every grace taken. */
export function longestRound(terms: Terms): number {
  return terms.propose + terms.publish + terms.ballot + terms.reveal + 2 * terms.grace;
}

/** Bounds between terms: the term to name, whether it holds, and the rule it breaks. */
const crossBounds: readonly { term: keyof Terms; holds: (terms: Terms) => boolean; rule: (terms: Terms) => string }[] =
  [
    {
      term: "unbonding",
      holds: (t) => t.unbonding >= longestRound(t),
      rule: (t) => `at least propose + publish + ballot + reveal + 2 * grace = ${longestRound(t)} seconds`,
    },
    {
      term: "dissentBand",
      holds: (t) => t.dissentBand >= t.band,
      rule: (t) => `at least band = ${t.band}`,
    },
    {
      term: "unrevealedBps",
      holds: (t) => t.unrevealedBps >= t.dissentBps + t.headBps,
      rule: (t) => `at least dissentBps + headBps = ${t.dissentBps + t.headBps}`,
    },
    {
      term: "absentBps",
      holds: (t) => t.absentBps <= t.dissentBps,
      rule: (t) => `at most dissentBps = ${t.dissentBps}`,
    },
  ];

function show(value: unknown): string {
  if (value === undefined) return "absent";
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function sentence(term: string, value: unknown, rule: string): string {
  return `Term "${term}" is ${show(value)}, but must be ${rule}.`;
}

function integer(term: Exclude<keyof Terms, "seatStake" | "roles" | "payout">) {
  const [min, max] = termBounds[term];
  const error = ({ input }: { input?: unknown }) => sentence(term, input, `an integer from ${min} to ${max}`);
  return z.int({ error }).min(min, { error }).max(max, { error }).default(defaultTerms[term]);
}

/** A word by its name, or by its number as the contracts have it. */
function word<Word extends number>(term: keyof Terms, words: Record<string, Word>) {
  const error = ({ input }: { input?: unknown }) => sentence(term, input, Object.keys(words).join(" or "));
  const numberOf = (value: unknown) => (typeof value === "string" ? words[value] : (value as Word));
  return z
    .custom<Word | string>((value) => Object.values(words).includes(numberOf(value) as Word), { error })
    .transform((value) => numberOf(value) as Word);
}

const [minSeatStake, maxSeatStake] = termBounds.seatStake;
const wei = z
  .custom<bigint | string>(
    (value) =>
      (typeof value === "bigint" || (typeof value === "string" && /^[0-9]{1,29}$/.test(value))) &&
      BigInt(value) >= minSeatStake &&
      BigInt(value) <= maxSeatStake,
    {
      error: ({ input }) => sentence("seatStake", input, `wei as decimal digits in quotes, from 1 to ${maxSeatStake}`),
    },
  )
  .transform(BigInt);

/**
 * Terms as JSON: `seatStake` in wei as a decimal string, `roles` and `payout` by their names, everything else numbers; a
 * term left out has its default.
 */
export const termsSchema = z
  .strictObject(
    {
      seatStake: wei,
      propose: integer("propose"),
      publish: integer("publish"),
      ballot: integer("ballot"),
      reveal: integer("reveal"),
      grace: integer("grace"),
      unbonding: integer("unbonding"),
      rankRatioBps: integer("rankRatioBps"),
      maxLeverage: integer("maxLeverage"),
      rounds: integer("rounds"),
      expectedTrainers: integer("expectedTrainers"),
      expectedVoters: integer("expectedVoters"),
      maxVoids: integer("maxVoids"),
      acceptBps: integer("acceptBps"),
      minGain: integer("minGain"),
      band: integer("band"),
      dissentBand: integer("dissentBand"),
      toleranceBps: integer("toleranceBps"),
      rejectBps: integer("rejectBps"),
      unrevealedBps: integer("unrevealedBps"),
      dissentBps: integer("dissentBps"),
      headBps: integer("headBps"),
      absentBps: integer("absentBps"),
      voterShareBps: integer("voterShareBps"),
      idleAfter: integer("idleAfter"),
      roles: word("roles", Roles).default(() => defaultTerms.roles),
      payout: word("payout", Payout).default(() => defaultTerms.payout),
    },
    {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? `There is no term ${issue.keys.map((key) => `"${key}"`).join(", ")}; the terms are ${Object.keys(termBounds).join(", ")}.`
          : `The terms must be an object of named terms, but are ${show(issue.input)}.`,
    },
  )
  .superRefine((terms, context) => {
    for (const { term, holds, rule } of crossBounds) {
      if (!holds(terms)) {
        context.addIssue({ code: "custom", path: [term], message: sentence(term, terms[term], rule(terms)) });
      }
    }
  });

/**
 * Terms from a parsed JSON value, defaults filled in.
 * @throws PermanentError with one sentence (one line) for each wrong term: its name, its value, its bound.
 */
export function parseTerms(json: unknown): Terms {
  const parsed = termsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new PermanentError(parsed.error.issues.map((issue) => issue.message).join("\n"));
}

/** Terms as a JSON value that `parseTerms` reads back. */
export function termsToJson(terms: Terms): Record<keyof Terms, number | string> {
  const { seatStake, roles, payout } = terms;
  return { ...terms, seatStake: String(seatStake), roles: nameOf(Roles, roles), payout: nameOf(Payout, payout) };
}
