import { Stream } from "../../learning/random.ts";
import { type DrawnPool, maliciousOperators, type VoteErrorRates } from "../../protocol/committee.ts";
import { quorumOf, tally, type Vote } from "../../protocol/rules/tally.ts";
import type { Terms } from "../../protocol/terms.ts";
import { Verdict } from "../../protocol/words.ts";

/** Chances from 0 to 1, per proposal. */
export type Rates = Omit<VoteErrorRates, "seats">;

/** `neutral` and `wrong`: shares of the honest voters that cannot tell, or are on the wrong side. */
export type Sampling = DrawnPool & { neutral: number; wrong: number; draws: number; seed: string };

/**
 * Both error rates as `draws` rounds show them: seats drawn by the contracts' formula, votes judged by the rules of a
 * settlement. `standardErrors` are those of a share of so many draws.
 */
export function sampledErrorRates(terms: Terms, sampling: Sampling): Rates & { standardErrors: Rates } {
  const { malicious, operators, draws } = sampling;
  const stream = new Stream(sampling.seed, `committee ${malicious} ${operators}`);
  const camp = maliciousOperators(sampling);
  let [poison, blocked] = [0, 0];
  for (let draw = 0; draw < draws; draw++) {
    const bad = drawSeats(stream, camp, terms.expectedVoters * malicious);
    const good = drawSeats(stream, operators - camp, terms.expectedVoters * (1 - malicious));
    if (isAccepted(terms, votesOf(stream, terms, { supporting: bad, honest: good, isGood: false, ...sampling })))
      poison++;
    if (!isAccepted(terms, votesOf(stream, terms, { supporting: bad, honest: good, isGood: true, ...sampling })))
      blocked++;
  }
  const [poisonAccepted, honestBlocked] = [poison / draws, blocked / draws];
  // Of the share that one hit and one miss more would give: never seen is not impossible.
  const error = (hits: number) => Math.sqrt(((hits + 1) * (draws - hits + 1)) / (draws + 2) ** 3);
  return {
    poisonAccepted,
    honestBlocked,
    standardErrors: { poisonAccepted: error(poison), honestBlocked: error(blocked) },
  };
}

/** FLock's vote: ten voters, each malicious with the given chance, one majority over the aggregate, a tie accepts. */
export function aggregateVote(malicious: number, voters = 10): Rates {
  let [poisonAccepted, honestBlocked] = [0, 0];
  let ways = 1;
  for (let m = 0; m <= voters; m++) {
    const chance = ways * malicious ** m * (1 - malicious) ** (voters - m);
    if (2 * m >= voters) poisonAccepted += chance;
    if (2 * m > voters) honestBlocked += chance;
    ways = (ways * (voters - m)) / (m + 1);
  }
  return { poisonAccepted, honestBlocked };
}

/** Seats of each operator of a camp that expects `expected` in all: `floor(expectation + luck)`, luck uniform in [0, 1). */
function drawSeats(stream: Stream, operators: number, expected: number): number[] {
  return Array.from({ length: operators }, () => Math.floor(expected / operators + stream.float()));
}

type Camps = Sampling & { supporting: readonly number[]; honest: readonly number[]; isGood: boolean };

/** The malicious vote against what is good and for what is not, the honest as they are able. */
function votesOf(stream: Stream, terms: Terms, camps: Camps): Vote[] {
  const [good, bad] = [terms.minGain + 1, -terms.band - 1];
  const [right, lie] = camps.isGood ? [good, bad] : [bad, good];
  const honest = (seats: number): Vote => {
    const luck = camps.neutral + camps.wrong === 0 ? 1 : stream.float();
    return { seats, scores: [luck < camps.neutral ? 0 : luck < camps.neutral + camps.wrong ? lie : right] };
  };
  return [
    ...camps.supporting.filter((seats) => seats > 0).map((seats) => ({ seats, scores: [lie] })),
    ...camps.honest.filter((seats) => seats > 0).map(honest),
  ];
}

function isAccepted(terms: Terms, votes: readonly Vote[]): boolean {
  if (votes.reduce((sum, { seats }) => sum + seats, 0) < quorumOf(terms)) return false; // a void round
  return tally(terms, votes, 1)[0]!.verdict === Verdict.Accepted;
}
