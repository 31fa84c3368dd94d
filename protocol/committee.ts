import { faultOf } from "./rules/faults.ts";
import { quorumOf } from "./rules/tally.ts";
import type { Terms } from "./terms.ts";
import { BPS } from "./words.ts";

/**
 * Who votes. `malicious`: share of the voters' stake, 0 to 1. `neutral` and `wrong`: shares of the honest votes that fall
 * into the band, or on the wrong side. `total`: wei in the pool; without it every expected seat is filled.
 */
export type VoterPool = {
  malicious: number;
  neutral?: number | undefined;
  wrong?: number | undefined;
  total?: bigint | undefined;
};

/** Chances from 0 to 1, per proposal. */
export type VoteErrorRates = {
  seats: number;
  /** A harmful update is accepted, all malicious seats voting for it. */
  poisonAccepted: number;
  /** A good update is not accepted, all malicious seats voting against it. */
  honestBlocked: number;
};

/** Seats that a pool fills on average, rounded down. */
function filledSeats(terms: Terms, total: bigint | undefined): number {
  const full = BigInt(terms.expectedVoters) * terms.seatStake;
  if (total === undefined || total >= full) return terms.expectedVoters;
  return Number(total / terms.seatStake);
}

/** ln(n!) for every n up to `max`. */
function logFactorials(max: number): number[] {
  const logs = [0];
  for (let n = 1; n <= max; n++) logs.push(logs[n - 1]! + Math.log(n));
  return logs;
}

/** Chance that an update is accepted if each seat by itself votes for it, against it, or neither. */
function acceptance(terms: Terms, seats: number, supporting: number, against: number): number {
  const logs = logFactorials(seats);
  const neutral = 1 - supporting - against;
  const power = (base: number, exponent: number) => (exponent === 0 ? 0 : exponent * Math.log(base));
  let chance = 0;
  for (let f = 0; f <= seats; f++) {
    for (let a = 0; f + a <= seats; a++) {
      const n = seats - f - a;
      const accepted = seats >= quorumOf(terms) && 2 * f > seats && f * BPS >= terms.acceptBps * (f + a);
      if (!accepted) continue;
      const ways = logs[seats]! - logs[f]! - logs[a]! - logs[n]!;
      chance += Math.exp(ways + power(supporting, f) + power(against, a) + power(Math.max(neutral, 0), n));
    }
  }
  return Math.min(chance, 1);
}

/**
 * Both error rates of the vote for any terms, as if exactly `seats` seats voted, each malicious with the given chance by
 * itself. A few operators of equal stake draw more evenly and err less; several hundred small ones fill fewer seats in
 * some rounds and accept poison about twice as often (`drawnErrorRates`).
 */
export function voteErrorRates(terms: Terms, pool: VoterPool): VoteErrorRates {
  const { malicious, neutral = 0, wrong = 0, total } = pool;
  const seats = filledSeats(terms, total);
  const honest = 1 - malicious;
  const right = honest * (1 - neutral - wrong);
  return {
    seats,
    poisonAccepted: acceptance(terms, seats, malicious + honest * wrong, right),
    honestBlocked: 1 - acceptance(terms, seats, right, malicious + honest * wrong),
  };
}

/** Who votes, one by one: `operators` that all reveal, `malicious` of their stake in one camp, each camp in equal parts. */
export type DrawnPool = { malicious: number; operators: number };

/** How many of the operators are malicious: their share of all, but one at least on each side that holds any stake. */
export function maliciousOperators({ malicious, operators }: DrawnPool): number {
  if (malicious <= 0) return 0;
  if (malicious >= 1) return operators;
  return Math.max(1, Math.min(operators - 1, Math.round(malicious * operators)));
}

/** Chances of 0, 1, 2 … seats of one camp: each operator has the whole part of its expectation, and one more by luck. */
function seatChances(operators: number, expected: number): number[] {
  if (operators === 0) return [1];
  const certain = Math.floor(expected / operators + 1e-12);
  const luck = Math.max(0, expected / operators - certain);
  const logs = logFactorials(operators);
  const chances = new Array<number>(operators * certain).fill(0);
  for (let more = 0; more <= operators; more++) {
    const ways = logs[operators]! - logs[more]! - logs[operators - more]!;
    const power = (base: number, exponent: number) => (exponent === 0 ? 0 : exponent * Math.log(base));
    chances.push(Math.exp(ways + power(luck, more) + power(1 - luck, operators - more)));
  }
  return chances;
}

/** Both error rates of the vote by the seat formula of the contracts, exactly. The pool fills every expected seat. */
export function drawnErrorRates(terms: Terms, pool: DrawnPool): Omit<VoteErrorRates, "seats"> {
  const { malicious, operators } = pool;
  const camp = maliciousOperators(pool);
  const bad = seatChances(camp, terms.expectedVoters * malicious);
  const good = seatChances(operators - camp, terms.expectedVoters * (1 - malicious));
  const accepted = (f: number, a: number) => f + a >= quorumOf(terms) && f > a && f * BPS >= terms.acceptBps * (f + a);
  let [poisonAccepted, honestBlocked] = [0, 0];
  for (const [m, chance] of bad.entries()) {
    for (const [h, other] of good.entries()) {
      if (accepted(m, h)) poisonAccepted += chance * other;
      if (!accepted(h, m)) honestBlocked += chance * other;
    }
  }
  return { poisonAccepted: Math.min(poisonAccepted, 1), honestBlocked: Math.min(honestBlocked, 1) };
}

/** Wei per seat and round: the fair share of the pot, the largest fault, and fault over pay (Infinity without pay). */
export type SeatRisk = { pay: bigint; risk: bigint; ratio: number };

/** What one seat earns and risks in a round with pot `pot` wei. */
export function seatRisks(terms: Terms, pot: bigint): { trainer: SeatRisk; voter: SeatRisk } {
  const seatRisk = (shareBps: number, expected: number, riskBps: number): SeatRisk => {
    const pay = (pot * BigInt(shareBps)) / BigInt(BPS) / BigInt(expected);
    const risk = faultOf(terms, 1, riskBps);
    return { pay, risk, ratio: pay === 0n ? Number.POSITIVE_INFINITY : Number((risk * 10_000n) / pay) / 10_000 };
  };
  return {
    trainer: seatRisk(
      BPS - terms.voterShareBps,
      terms.expectedTrainers,
      Math.max(terms.rejectBps, terms.unrevealedBps),
    ),
    // No revealed ballot costs more than a hidden one: dissent and absence share their proposals.
    voter: seatRisk(terms.voterShareBps, terms.expectedVoters, terms.unrevealedBps),
  };
}
