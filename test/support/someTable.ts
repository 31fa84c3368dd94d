import fc from "fast-check";
import type { Terms } from "../../protocol/terms.ts";
import { longestRound } from "../../protocol/terms.ts";
import { Payout, Roles } from "../../protocol/words.ts";
import type { TableRules } from "./differential.ts";

const int = (min: number, max: number) => fc.integer({ min, max });
/** Mostly a value that rounds are decided by, at times any. */
const mostly = (likely: fc.Arbitrary<number>, max: number) =>
  fc.oneof({ weight: 3, arbitrary: likely }, { weight: 1, arbitrary: int(0, max) });

const phases = fc.record({
  propose: int(20, 60),
  publish: int(10, 40),
  ballot: int(20, 60),
  reveal: int(10, 50),
  grace: int(0, 30),
});
const bands = fc.record({ minGain: mostly(int(0, 20), 16_383), band: mostly(int(1, 100), 1000), wider: int(0, 400) });
const faults = fc.record({
  rejectBps: int(0, 5000),
  dissentBps: int(0, 2500),
  headBps: int(0, 2500),
  unopened: int(0, 5000),
  silence: int(0, 100),
});
const counts = fc.record({
  rounds: fc.constantFrom(1, 2, 5, 65_535),
  maxVoids: fc.constantFrom(1, 2, 5, 255),
  expectedTrainers: int(1, 8),
  expectedVoters: int(1, 16),
});
const money = fc.record({
  seatStake: fc.oneof(fc.constantFrom(1n, 2n, 9n), fc.bigInt(1n, 10n ** 20n)),
  rankRatioBps: int(1, 10_000),
  maxLeverage: fc.oneof(int(0, 3), int(0, 100)),
  voterShareBps: int(1, 5000),
  roles: fc.constantFrom(Roles.Declared, Roles.Drawn),
  payout: fc.constantFrom(Payout.Proportional, Payout.Ranked),
});
const rest = fc.record({
  acceptBps: int(5001, 9000),
  toleranceBps: int(0, 10_000),
  slack: int(0, 500),
  idleAfter: int(300, 3000),
});

/** Any terms within their bounds whose rounds are short enough to be played often. */
export const someTaskTerms: fc.Arbitrary<Terms> = fc
  .record({ phases, bands, faults, counts, money, rest })
  .map(({ phases, bands, faults, counts, money, rest }) => {
    const { slack, ...votes } = rest;
    const { rejectBps, dissentBps, headBps, unopened, silence } = faults;
    const band = Math.max(1, bands.band);
    const terms: Terms = {
      ...{ ...money, ...phases, ...counts, ...votes },
      ...{ minGain: bands.minGain, band, dissentBand: band + bands.wider },
      ...{ rejectBps, dissentBps, headBps },
      unrevealedBps: Math.max(unopened, dissentBps + headBps),
      absentBps: Math.floor((dissentBps * silence) / 100),
      unbonding: 0,
    };
    return { ...terms, unbonding: longestRound(terms) + slack };
  });

/** One or two tasks of any terms, and between eight and twenty operators to play them. */
export const someTable: fc.Arbitrary<TableRules> = fc.record({
  players: int(8, 20),
  eager: int(0, 3),
  tasks: fc.array(someTaskTerms, { minLength: 1, maxLength: 2 }),
});
