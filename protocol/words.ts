/** The words and limits that contracts and rules share. Numbers are the contracts' own: they go on chain as they are. */

/** The pool an operator stakes in; also that of a sortition. Drawn is the one pool of a task with drawn roles. */
export const Role = { Trainer: 0, Validator: 1, Drawn: 2 } as const;
export type Role = (typeof Role)[keyof typeof Role];

/** Who does what: operators declare one role and keep it, or each round draws it among one pool. */
export const Roles = { Declared: 0, Drawn: 1 } as const;
export type Roles = (typeof Roles)[keyof typeof Roles];

/** How trainers share their part: by seats and gain, or by rank. */
export const Payout = { Proportional: 0, Ranked: 1 } as const;
export type Payout = (typeof Payout)[keyof typeof Payout];

/** Where a round stands; derived from its deadlines and the time, never stored. */
export const Phase = { None: 0, Propose: 1, Publish: 2, Ballot: 3, Reveal: 4, Settle: 5 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** What the voters decided about one proposal. */
export const Verdict = { Undecided: 0, Accepted: 1, Rejected: 2, Missing: 3 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** What became of a voter's ballot. */
export const BallotState = { None: 0, Sealed: 1, Revealed: 2, Absent: 3 } as const;
export type BallotState = (typeof BallotState)[keyof typeof BallotState];

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
export const SEED_DELAY = 1;
/** Blocks after it for which that hash can be read on chain: `most` where EIP-2935 holds, `least` elsewhere. */
export const SEED_REACH = { least: 256, most: 8191 };

/** Longest endpoint that an operator announces, in bytes. */
export const MAX_ENDPOINT = 200;
/** Longest encrypted copy of a ballot, in bytes. */
export const MAX_COPY = 160;

/** Parts of ten of the slashed stake that go back to the pot. */
export const KEPT_TENTHS = 9n;
/** What whoever settles a round gets: so much of its pot, and at most a tenth of `seatStake`. */
export const SETTLE_BPS = 10n;
/** An accuser gets this part of what the absent one lost, at most this part of one seat's fault; a settler at most of a seat. */
export const BOUNTY_DIVISOR = 10n;

/** The name of a number, for messages and reports: `nameOf(Verdict, 1)` is "Accepted". */
export function nameOf(words: Record<string, number>, value: number): string {
  return Object.keys(words).find((name) => words[name] === value) ?? `unknown (${value})`;
}
