import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_HEAD } from "../../../protocol/rules/ballots.ts";
import { accuserBounty } from "../../../protocol/rules/faults.ts";
import {
  type Outcome,
  referenceOf,
  type SealedBallot,
  type SealedProposal,
  settleRound,
  splitSlashed,
} from "../../../protocol/rules/settlement.ts";
import type { Terms } from "../../../protocol/terms.ts";
import { ABSTAIN, MISSING, Payout, Verdict } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { FLK, someTerms } from "../../support/terms.ts";
import { somePoll } from "../../support/votes.ts";
import { addressOf, headOf, wordOf } from "../../support/words.ts";

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
  // The settler gets 3.6. Alone accepted with two of six seats: 2 * 0.7 * 3596.4 * 2 / 6 = 1678.32.
  assert.equal(outcome.bounty, 36n * (FLK / 10n));
  assert.deepEqual(lineOf(outcome, 100), { operator: addressOf(100), pay: 167_832n * (FLK / 100n), fault: 0n });
  assert.deepEqual(lineOf(outcome, 101), { operator: addressOf(101), pay: 0n, fault: 30n * FLK });
  // The two honest voters share 0.3 * 3596.4 = 1078.92 evenly.
  assert.equal(lineOf(outcome, 1).pay, 53_946n * (FLK / 100n));
  assert.equal(lineOf(outcome, 2).pay, 53_946n * (FLK / 100n));
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

test("nine tenths of a slash go back to the pot, rounded down, and accusers are paid out of the rest", () => {
  assert.deepEqual(splitSlashed(100n, 0n), { returned: 90n, burned: 10n });
  assert.deepEqual(splitSlashed(9n, 0n), { returned: 8n, burned: 1n });
  assert.deepEqual(splitSlashed(0n, 0n), { returned: 0n, burned: 0n });
  assert.deepEqual(splitSlashed(100n, 7n), { returned: 90n, burned: 3n });
});

test("bounties of accusers never exceed the tenth that would burn", () => {
  const cuts = fc.array(fc.bigInt(0n, 10n ** 20n), { maxLength: 64 });
  holds(fc.record({ cuts, others: fc.bigInt(0n, 10n ** 20n) }), ({ cuts, others }) => {
    const slashed = cuts.reduce((sum, cut) => sum + cut, others);
    const bounties = cuts.reduce((sum, cut) => sum + accuserBounty(terms, cut), 0n);
    const { returned, burned } = splitSlashed(slashed, bounties);
    assert.ok(burned >= 0n);
    assert.equal(returned + burned + bounties, slashed);
  });
});

test("an absent voter is settled last, is paid nothing, and is forgiven if the round is void", () => {
  const absences = [{ operator: addressOf(0), seats: 3, accuser: addressOf(900) }];
  const play = (seats: number) =>
    settleRound(terms, { pot, proposals: published(1), ballots: cast([seats, [300]]), absences });
  const line = { operator: addressOf(0), pay: 0n, fault: 6n * FLK, accuser: addressOf(900) };
  assert.deepEqual(play(30).lines.at(-1), line);
  assert.equal(play(30).lines.length, 3);
  assert.equal(play(18).isVoid, true);
  assert.equal(play(18).lines.length, 2);
});

test("an absent voter changes nothing for those who voted", () => {
  const ballots = cast([15, [300, -700]], [15, [310, -690]], [5, [-300, 300]], [1]);
  const absences = [{ operator: addressOf(50), seats: 30, accuser: addressOf(900) }];
  const without = settleRound(terms, { pot, proposals: published(2, 1), ballots });
  const { lines, ...rest } = settleRound(terms, { pot, proposals: published(2, 1), ballots, absences });
  assert.deepEqual({ ...rest, lines: lines.slice(0, -1) }, without);
});

test("whoever settles gets a thousandth of the pot, at most a tenth of a seat, and the rest is shared", () => {
  const play = (pot: bigint, seats = 30) =>
    settleRound(terms, { pot, proposals: published(1), ballots: cast([seats, [300]]) });
  assert.equal(play(10_000n).bounty, 10n);
  assert.equal(play(9_999n).bounty, 9n);
  assert.equal(play(10n ** 24n).bounty, 10n * FLK);
  assert.equal(play(10n ** 24n, 18).bounty, 0n, "a void round");
  // 2 * floor(0.7 * 9990) / 6 for the one seat of six.
  assert.equal(lineOf(play(10_000n), 100).pay, 2331n);
});

test("ranked trainers are paid by the places of their seats, and their factors stay those of the head", () => {
  const wide = { ...terms, expectedTrainers: 3 }; // no cap bites
  const ranked = { ...wide, payout: Payout.Ranked };
  const ballots = cast([30, [300, 200]]);
  const seed = wordOf(3);
  const play = (terms: Terms) => settleRound(terms, { pot: 10_000n * FLK, proposals: published(1, 2), ballots, seed });
  assert.deepEqual(play(ranked).factors, play(wide).factors);
  const part = ((10_000n - 10n) * FLK * 7n) / 10n;
  const first = 2n ** 64n;
  const second = (first * 8500n) / 10_000n;
  const third = (second * 8500n) / 10_000n;
  const sum = first + second + third;
  assert.equal(lineOf(play(ranked), 100).pay, (part * first) / sum);
  assert.equal(lineOf(play(ranked), 101).pay, (part * (second + third)) / sum);
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
    assert.ok(one.lines.reduce((sum, { pay }) => sum + pay, one.bounty) <= pot);
  });
});
