import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_HEAD } from "../../../protocol/rules/ballots.ts";
import {
  absenceFault,
  accuserBounty,
  ballotFault,
  faultOf,
  proposalFault,
  unopenedFault,
} from "../../../protocol/rules/faults.ts";
import type { Slot } from "../../../protocol/rules/tally.ts";
import { ABSTAIN, MAX_SCORE, MIN_SCORE, MISSING, Verdict } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";
import { headOf } from "../../support/words.ts";

const terms = someTerms({ seatStake: 10_000n }); // so that a basis point of a seat is one wei

function slotOf(verdict: Verdict, median: number): Slot {
  return { missing: 0, judging: 30, for: 0, against: 0, quorate: true, median, verdict };
}
const good = slotOf(Verdict.Accepted, 100);
const bad = slotOf(Verdict.Rejected, -600);
const open = slotOf(Verdict.Undecided, 0);

const head = headOf(1);
const faultFor = (slots: Slot[], scores: number[], named = head, reference?: typeof head) =>
  ballotFault(terms, slots, { seats: 1, scores, head: named }, reference);

test("a fault is rounded up, and a divisor of zero means none", () => {
  assert.equal(faultOf(someTerms({ seatStake: 1n }), 1, 3000), 1n);
  assert.equal(faultOf(someTerms({ seatStake: 10_001n }), 1, 1), 2n);
  assert.equal(faultOf(terms, 2, 3000), 6000n);
  assert.equal(faultOf(terms, 1, 1000, 1, 3), 334n);
  assert.equal(faultOf(terms, 1, 1000, 0, 0), 0n);
});

test("whoever has no seat cannot be at fault", () => {
  assert.equal(faultOf(terms, 0, 5000), 0n);
});

test("a rejected proposal costs the most, one that was not served as much as one not published", () => {
  assert.equal(proposalFault(terms, 2, Verdict.Rejected), 6000n);
  assert.equal(proposalFault(terms, 2, Verdict.Missing), 3000n);
  assert.equal(unopenedFault(terms, 2), 3000n);
  assert.equal(proposalFault(terms, 2, Verdict.Undecided), 0n);
  assert.equal(proposalFault(terms, 2, Verdict.Accepted), 0n);
});

test("a vote for the losing side far from the median is dissent", () => {
  // Accepted with median 100: the window is 200 + 25 wide, so it reaches down to -125.
  assert.equal(faultFor([good], [-125]), 0n);
  assert.equal(faultFor([good], [-126]), 1000n);
  // Rejected with median -600: the window is 200 + 150 wide, so it reaches up to -250.
  assert.equal(faultFor([bad], [6]), 1000n);
  assert.equal(faultFor([bad], [5]), 0n, "a neutral vote takes no side");
  assert.equal(faultFor([good], [MAX_SCORE]), 0n, "the winning side never dissents");
  // Accepted with median 400: the window ends at 100, but down to the band a vote is neutral.
  assert.equal(faultFor([slotOf(Verdict.Accepted, 400)], [-50]), 0n);
  assert.equal(faultFor([slotOf(Verdict.Accepted, 400)], [-51]), 1000n);
});

test("a plus one on poison is dissent although it is small", () => {
  assert.equal(faultFor([slotOf(Verdict.Rejected, -300)], [6]), 1000n);
});

test("dissent is shared over the decided proposals", () => {
  assert.equal(faultFor([good, bad, open], [-500, -600, -500]), 500n);
  assert.equal(faultFor([good, bad], [-500, 500]), 1000n);
  assert.equal(faultFor([open], [-500]), 0n);
});

test("dissent windows saturate: no score wraps around into dissent", () => {
  const highest = slotOf(Verdict.Accepted, MAX_SCORE);
  assert.equal(faultFor([highest], [MAX_SCORE]), 0n);
  assert.equal(faultFor([slotOf(Verdict.Rejected, MIN_SCORE)], [MIN_SCORE]), 0n);
  assert.equal(faultFor([highest], [MIN_SCORE]), 1000n);
});

test("not judging what others decided costs absence, shared over the published proposals", () => {
  assert.equal(faultFor([good, open], [ABSTAIN, ABSTAIN]), 100n);
  assert.equal(faultFor([good, bad], [ABSTAIN, MISSING]), 200n);
  assert.equal(faultFor([slotOf(Verdict.Missing, 0)], [ABSTAIN]), 0n);
});

test("another head than the reference is a fault, no head is none", () => {
  assert.equal(faultFor([open], [0], head, headOf(2)), 500n);
  assert.equal(faultFor([open], [0], head, head), 0n);
  assert.equal(faultFor([open], [0], head, undefined), 0n);
  assert.equal(faultFor([open], [ABSTAIN], NO_HEAD, headOf(2)), 0n);
});

test("the faults of one ballot add up, each rounded up by itself", () => {
  const odd = someTerms({ seatStake: 7n });
  const scores = [-500, ABSTAIN, MISSING];
  // Dissent 7 * 0.1 * 1/3 and head 7 * 0.05 and absence 7 * 0.02 * 2/3: each becomes 1.
  assert.equal(ballotFault(odd, [good, bad, bad], { seats: 1, scores, head }, headOf(2)), 3n);
});

test("splitting seats over identities changes a fault by rounding only", () => {
  const scores = fc.array(fc.integer({ min: MISSING, max: 1000 }), { minLength: 3, maxLength: 3 });
  const cases = fc.record({ seats: fc.integer({ min: 1, max: 9 }), seatStake: fc.bigInt(1n, 10n ** 24n), scores });
  holds(cases, ({ seats, seatStake, scores }) => {
    const terms = someTerms({ seatStake });
    const fault = (seats: number) => ballotFault(terms, [good, bad, open], { seats, scores, head }, headOf(2));
    const split = fault(1) * BigInt(seats);
    assert.ok(split >= fault(seats) && split - fault(seats) <= 3n * BigInt(seats));
    const sealed = unopenedFault(terms, 1) * BigInt(seats) - unopenedFault(terms, seats);
    assert.ok(sealed >= 0n && sealed <= BigInt(seats));
  });
});

test("no ballot costs more than never revealing it, so hiding one never pays", () => {
  const scores = fc.array(fc.integer({ min: ABSTAIN, max: MAX_SCORE }), { minLength: 4, maxLength: 4 });
  holds(fc.record({ scores, bps: fc.integer({ min: 0, max: 5000 }) }), ({ scores, bps }) => {
    const harsh = someTerms({ dissentBps: bps, absentBps: bps, headBps: 5000 - bps, unrevealedBps: 5000 });
    const fault = ballotFault(harsh, [good, bad, bad, open], { seats: 3, scores, head }, headOf(2));
    assert.ok(fault <= unopenedFault(harsh, 3) + 3n);
  });
});

test("an absence costs absentBps a seat, and its accuser gets a tenth of what was taken, at most of one seat's fault", () => {
  const terms = someTerms({ seatStake: 10_001n, absentBps: 100, dissentBps: 100 });
  assert.equal(absenceFault(terms, 1), 101n);
  assert.equal(absenceFault(terms, 7), 701n);
  assert.equal(accuserBounty(terms, 99n), 9n);
  assert.equal(accuserBounty(terms, 701n), 10n);
  assert.equal(accuserBounty(terms, 9n), 0n);
  assert.equal(accuserBounty({ ...terms, absentBps: 0 }, 701n), 0n);
});
