import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { formatEther, parseEther } from "viem";
import {
  accepted,
  delegated,
  delegatedClaimed,
  emptyDelegation,
  emptyPosition,
  paidPool,
  slashedPool,
  splitFault,
  touchedPosition,
  worthOf,
} from "../../protocol/rules/delegation.ts";
import { factorsOf, settlerBounty, trainerPay } from "../../protocol/rules/payouts.ts";
import { rankWeights } from "../../protocol/rules/ranking.ts";
import { Verdict } from "../../protocol/words.ts";
import { someTerms } from "../support/terms.ts";
import { addressOf, wordOf } from "../support/words.ts";

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const terms = someTerms({ seatStake: parseEther("100") });
const pot = parseEther("1000");
const seats = [2, 1];
const slots = [105, 55].map((median) => ({
  ...{ verdict: Verdict.Accepted, median, quorate: true },
  ...{ missing: 0, judging: 36, for: 36, against: 0 },
}));

/** At most two decimals, as the page has them. */
const shown = (wei: bigint) => Number(Number(formatEther(wei)).toFixed(2));

test("the worked round of the protocol page follows from the rules", () => {
  const shared = pot - settlerBounty(terms, pot);
  assert.equal(shown(shared), 999);
  const factors = factorsOf(terms, slots, seats);
  assert.deepEqual(factors, [200n, 50n]);
  const byFactor = trainerPay(terms, shared, factors, seats).map(shown);
  assert.deepEqual(byFactor, [466.2, 139.86]);
  const proposals = seats.map((each, slot) => ({ seats: each, operator: addressOf(slot) }));
  const weights = rankWeights(terms, slots, proposals, wordOf(1));
  const byPlace = trainerPay(terms, shared, weights, seats).map(shown);
  assert.deepEqual(byPlace, [466.2, 196.4]);
  for (const number of ["466.2", "139.86", "196.4", "999"]) assert.match(page, new RegExp(`\\b${number}\\b`), number);
});

test("the worked slash and reward of the protocol page follow from the rules", () => {
  const flk = (amount: number) => parseEther(String(amount));
  const empty = { pool: accepted(emptyDelegation(), 1000), position: emptyPosition() };
  const others = delegated(empty, flk(200), undefined);
  const first = delegated({ pool: others.pool, position: emptyPosition() }, flk(100), undefined);

  const { fromOwn, fromDelegated } = splitFault(flk(40), flk(100), first.pool);
  assert.deepEqual([fromOwn, fromDelegated], [flk(10), flk(30)]);
  const slashed = slashedPool(first.pool, fromDelegated);
  assert.equal(Number(slashed.mark.factor) / 2 ** 79, 0.9);

  const { pool, toDelegators } = paidPool(slashed, flk(90), flk(40));
  assert.equal(shown(toDelegators), 27);
  const position = touchedPosition(first.position, pool, undefined);
  assert.deepEqual([shown(worthOf(position.shares, pool.mark.factor)), shown(position.claimable)], [90, 9]);

  const late = delegated({ pool, position: touchedPosition(emptyPosition(), pool, undefined) }, flk(90), undefined);
  assert.equal(shown(late.position.shares), 100);
  assert.equal(delegatedClaimed(late).position.claimable, 0n, "nothing of what was paid before");
});
