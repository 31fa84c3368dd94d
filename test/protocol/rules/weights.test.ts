import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accepted, delegated, emptyDelegation, emptyPosition } from "../../../protocol/rules/delegation.ts";
import { deposited, emptyAccount, exitRequested } from "../../../protocol/rules/stakePool.ts";
import { nextWeight, openWeight, weightOf } from "../../../protocol/rules/weights.ts";
import { Role } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";

const terms = someTerms({ seatStake: 100n, maxLeverage: 3 });

test("delegated stake counts up to maxLeverage times the own", () => {
  assert.equal(weightOf(terms, 100n, 299n), 399n);
  assert.equal(weightOf(terms, 100n, 300n), 400n);
  assert.equal(weightOf(terms, 100n, 301n), 400n);
  assert.equal(weightOf({ ...terms, maxLeverage: 0 }, 100n, 300n), 100n);
});

test("own stake below that of one seat has no weight, whatever is delegated", () => {
  assert.equal(weightOf(terms, 99n, 10_000n), 0n);
  assert.equal(weightOf(terms, 0n, 10_000n), 0n);
});

test("what came or asked to leave while a round is open changes the weight of the next round only", () => {
  const own = deposited(emptyAccount(), Role.Trainer, 200n, undefined);
  const parts = { pool: accepted(emptyDelegation(), 0), position: emptyPosition() };
  const { pool } = delegated(parts, 50n, undefined);
  const more = delegated({ pool, position: emptyPosition() }, 30n, 7).pool;
  const less = exitRequested(terms, own, 90n, 7, 0);
  assert.deepEqual([openWeight(terms, less, more), nextWeight(terms, less, more)], [250n, 190n]);
});

test("splitting stake and its delegators over operators does not raise the weight", () => {
  const wei = fc.bigInt(0n, 10n ** 20n);
  holds(fc.record({ a: wei, b: wei, c: wei, d: wei }), ({ a, b, c, d }) => {
    assert.ok(weightOf(terms, a, c) + weightOf(terms, b, d) <= weightOf(terms, a + b, c + d));
  });
});
