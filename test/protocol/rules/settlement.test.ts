import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_HEAD } from "../../../protocol/rules/ballots.ts";
import {
  type Outcome,
  referenceOf,
  type SealedBallot,
  type SealedProposal,
  settleRound,
  splitSlashed,
} from "../../../protocol/rules/settlement.ts";
import { ABSTAIN, MISSING, Verdict } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { FLK, someTerms } from "../../support/terms.ts";
import { somePoll } from "../../support/votes.ts";
import { addressOf, headOf } from "../../support/words.ts";

const terms = someTerms();
const pot = 3600n * FLK;

/** Proposals with the given seats, all published, by operators 100, 101... */
const published = (...seats: number[]): SealedProposal[] =>
  seats.map((seats, slot) => ({ operator: addressOf(100 + slot), seats, slot }));

/** Ballots by operators 1, 2...: seats and scores; without scores it was never revealed. */
const cast = (...ballots: [seats: number, scores?: readonly number[], head?: number][]): SealedBallot[] =>
  ballots.map(([seats, scores, head = 1], i) => ({
    operator: addressOf(1 + i),
    seats,
    opened: scores && { scores, head: head === 0 ? NO_HEAD : headOf(head) },
  }));

const lineOf = (outcome: Outcome, n: number) => outcome.lines.find(({ operator }) => operator === addressOf(n))!;
const verdicts = (outcome: Outcome) => outcome.slots.map(({ verdict }) => verdict);

test("good work is paid, poison and lies are slashed", () => {
  const outcome = settleRound(terms, {
    pot,
    proposals: published(2, 1),
    ballots: cast([15, [300, -700]], [15, [310, -690]], [5, [-300, 300]], [1]),
  });
  assert.deepEqual(verdicts(outcome), [Verdict.Accepted, Verdict.Rejected]);
  assert.deepEqual(outcome.factors, [2n * 295n, 0n]);
  // Alone accepted with two of six seats: 2 * 0.7 * 3600 * 2 / 6 = 1680.
  assert.deepEqual(lineOf(outcome, 100), { operator: addressOf(100), pay: 1680n * FLK, fault: 0n });
  assert.deepEqual(lineOf(outcome, 101), { operator: addressOf(101), pay: 0n, fault: 30n * FLK });
  // The two honest voters share 0.3 * 3600 = 1080 evenly.
  assert.equal(lineOf(outcome, 1).pay, 540n * FLK);
  assert.equal(lineOf(outcome, 2).pay, 540n * FLK);
  assert.deepEqual(lineOf(outcome, 3), { operator: addressOf(3), pay: 0n, fault: 50n * FLK });
  assert.deepEqual(lineOf(outcome, 4), { operator: addressOf(4), pay: 0n, fault: 15n * FLK });
});

test("a void round pays nobody and faults only what was never opened", () => {
  const outcome = settleRound(terms, {
    pot,
    proposals: [...published(1), { operator: addressOf(200), seats: 2 }],
    ballots: cast([18, [-700]], [3]),
  });
  assert.equal(outcome.isVoid, true);
  assert.deepEqual(outcome.slots, []);
  assert.deepEqual(
    outcome.lines.map(({ pay, fault }) => [pay, fault]),
    [
      [0n, 0n],
      [0n, 30n * FLK],
      [0n, 0n],
      [0n, 45n * FLK],
    ],
  );
});

test("a quorum of revealed seats makes a round count", () => {
  const play = (seats: number) =>
    settleRound(terms, { pot, proposals: published(1), ballots: cast([seats, [ABSTAIN]]) });
  assert.equal(play(18).isVoid, true);
  assert.equal(play(19).isVoid, false);
});

test("a round without publications, and one without a seed, are void", () => {
  const sealed = [{ operator: addressOf(100), seats: 1 }];
  assert.deepEqual(settleRound(terms, { pot, proposals: sealed, ballots: [] }).lines, [
    { operator: addressOf(100), pay: 0n, fault: 15n * FLK },
  ]);
  assert.equal(settleRound(terms, { pot, proposals: [], ballots: [] }).isVoid, true);
  const missed = { pot, proposals: published(1), ballots: cast([30, [300]]), seedMissed: true };
  assert.equal(settleRound(terms, missed).isVoid, true);
});

test("proposals that only a gang can judge pay nobody, for they are not quorate", () => {
  const gang: [number, number[]] = [12, [300, 300, -400]];
  const honest: [number, number[]] = [24, [ABSTAIN, ABSTAIN, -410]];
  const outcome = settleRound(terms, { pot, proposals: published(2, 2, 2), ballots: cast(gang, honest) });
  assert.deepEqual(verdicts(outcome), [Verdict.Undecided, Verdict.Undecided, Verdict.Rejected]);
  assert.equal(lineOf(outcome, 100).pay, 0n);
  assert.equal(lineOf(outcome, 1).pay, lineOf(outcome, 2).pay / 2n, "the gang is paid for the third proposal only");
});

test("a proposal that does not come costs its proposer, and nobody is faulted for saying so", () => {
  const outcome = settleRound(terms, { pot, proposals: published(2), ballots: cast([22, [MISSING]], [14, [300]]) });
  assert.deepEqual(verdicts(outcome), [Verdict.Missing]);
  assert.equal(lineOf(outcome, 100).fault, 30n * FLK);
  assert.equal(lineOf(outcome, 1).fault, 0n);
});

test("a veto by voting zero is unpaid", () => {
  const outcome = settleRound(terms, {
    pot,
    proposals: published(2, 2),
    ballots: cast([18, [0, 0]], [18, [400, 300]]),
  });
  assert.deepEqual(verdicts(outcome), [Verdict.Undecided, Verdict.Undecided]);
  assert.deepEqual([lineOf(outcome, 1).pay, lineOf(outcome, 1).fault], [0n, 0n]);
});

test("a head that enough of those who named one agree on is the reference", () => {
  const named = (...list: [seats: number, head: number][]) =>
    referenceOf(
      terms,
      list.map(([seats, head]) => ({ seats, head: head === 0 ? NO_HEAD : headOf(head) })),
    );
  assert.equal(named([12, 1], [7, 2]), headOf(1));
  assert.equal(named([11, 1], [8, 2]), undefined, "57.9 % of those who named one");
  assert.equal(named([12, 1], [8, 2]), headOf(1), "60 % of those who named one");
  assert.equal(named([18, 1], [18, 0]), undefined, "no quorum named one");
  assert.equal(named([19, 1], [17, 0]), headOf(1));
});

test("whoever names another head than the reference is at fault, whoever names none is not", () => {
  const ballots = cast([20, [300], 1], [5, [300], 2], [5, [ABSTAIN], 0]);
  const outcome = settleRound(terms, { pot, proposals: published(2), ballots });
  assert.equal(outcome.reference, headOf(1));
  assert.deepEqual(
    [1, 2, 3].map((n) => lineOf(outcome, n).fault),
    [0n, 25n * FLK, 10n * FLK],
  );
});

test("nine tenths of a slash go back to the pot, rounded down", () => {
  assert.deepEqual(splitSlashed(100n), { returned: 90n, burned: 10n });
  assert.deepEqual(splitSlashed(9n), { returned: 8n, burned: 1n });
  assert.deepEqual(splitSlashed(0n), { returned: 0n, burned: 0n });
});

test("the order of the voters changes nothing for any of them, and pay never exceeds the pot", () => {
  holds(fc.record({ poll: somePoll, shift: fc.nat(20) }), ({ poll: { slots, votes }, shift }) => {
    const ballots = cast(
      ...votes.map(({ seats, scores }, i): [number, readonly number[], number] => [seats, scores, i % 3]),
    );
    const turned = ballots.map((_, i) => ballots[(i + shift) % ballots.length]!);
    const proposals = published(...Array.from({ length: slots }, (_, slot) => 1 + (slot % 3)));
    const one = settleRound(terms, { pot, proposals, ballots });
    const other = settleRound(terms, { pot, proposals, ballots: turned });
    assert.deepEqual(other.slots, one.slots);
    assert.deepEqual(new Set(other.lines), new Set(one.lines));
    assert.ok(one.lines.reduce((sum, { pay }) => sum + pay, 0n) <= pot);
  });
});
