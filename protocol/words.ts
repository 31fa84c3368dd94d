/** The words and limits that contracts and rules share. Numbers are the contracts' own: they go on chain as they are. */

/** What an operator stakes for; also the pool of a sortition. */
export const Role = { Trainer: 0, Validator: 1 } as const;
export type Role = (typeof Role)[keyof typeof Role];

/** Where a round stands; derived from its deadlines and the time, never stored. */
export const Phase = { None: 0, Propose: 1, Publish: 2, Ballot: 3, Reveal: 4, Settle: 5 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** What the voters decided about one proposal. */
export const Verdict = { Undecided: 0, Accepted: 1, Rejected: 2, Missing: 3 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** One whole, in basis points. */
export const BPS = 10_000;

/** Score: "I could not judge". */
export const ABSTAIN = -32_768;
/** Score: "the bytes did not come". */
export const MISSING = -32_767;
/** Lowest and highest score that judges; a measured score beyond is clamped, never wrapped. */
export const MIN_SCORE = -32_766;
export const MAX_SCORE = 32_767;

/** Most proposals and most ballots that one round takes. */
export const MAX_PROPOSALS = 16;
export const MAX_BALLOTS = 64;

/** Blocks from the opening of a round to the block whose hash is its seed. */
export const SEED_DELAY = 1n;
/** Blocks after it for which that hash can be read on chain: `most` where EIP-2935 holds, `least` elsewhere. */
export const SEED_REACH = { least: 256n, most: 8191n };

/** Longest endpoint that an operator announces, in bytes. */
export const MAX_ENDPOINT = 200;

/** The name of a number, for messages and reports: `nameOf(Verdict, 1)` is "Accepted". */
export function nameOf(words: Record<string, number>, value: number): string {
  return Object.keys(words).find((name) => words[name] === value) ?? `unknown (${value})`;
}
