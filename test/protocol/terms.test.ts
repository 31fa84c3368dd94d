import assert from "node:assert/strict";
import { test } from "node:test";
import { PermanentError } from "../../protocol/errors.ts";
import { defaultTerms, longestRound, parseTerms, type Terms, termBounds, termsToJson } from "../../protocol/terms.ts";
import { Payout, Roles } from "../../protocol/words.ts";
import { someTerms } from "../support/terms.ts";

function messageOf(json: unknown): string {
  try {
    parseTerms(json);
  } catch (error) {
    assert.ok(error instanceof PermanentError);
    return error.message;
  }
  return assert.fail("the terms were accepted");
}

test("terms left out have their defaults", () => {
  assert.deepEqual(parseTerms({ seatStake: "1000" }), { seatStake: 1000n, ...defaultTerms });
});

test("the defaults are the documented ones", () => {
  const { propose, publish, ballot, reveal, grace, unbonding } = defaultTerms;
  assert.deepEqual(
    [propose, publish, ballot, reveal, grace, unbonding],
    [21_600, 1_800, 7_200, 1_800, 43_200, 604_800],
  );
  const { rejectBps, unrevealedBps, dissentBps, headBps, absentBps, voterShareBps, acceptBps } = defaultTerms;
  assert.deepEqual([rejectBps, unrevealedBps, dissentBps, headBps, absentBps], [3000, 1500, 1000, 500, 200]);
  assert.deepEqual([voterShareBps, acceptBps], [3000, 6000]);
  const { rankRatioBps, maxLeverage, idleAfter, roles, payout } = defaultTerms;
  assert.deepEqual([rankRatioBps, maxLeverage, idleAfter], [8500, 9, 2_592_000]);
  assert.deepEqual([roles, payout], [Roles.Declared, Payout.Proportional]);
});

test("terms survive a way through JSON", () => {
  const terms = someTerms({ rounds: 3, seatStake: 2n ** 88n - 1n, roles: Roles.Drawn, payout: Payout.Ranked });
  assert.deepEqual(parseTerms(JSON.parse(JSON.stringify(termsToJson(terms)))), terms);
});

test("the stake of a seat has no default", () => {
  assert.match(messageOf({}), /^Term "seatStake" is absent, but must be wei .*from 1 to/);
});

test("every wrong term has one sentence with its name, its value and its bound", () => {
  const lines = messageOf({ seatStake: "0", acceptBps: 4000, propose: "x", rounds: 1.5 }).split("\n");
  assert.equal(lines.length, 4);
  assert.match(lines[0]!, /^Term "seatStake" is "0", but must be/);
  assert.equal(lines[1], 'Term "propose" is "x", but must be an integer from 1 to 2592000.');
  assert.equal(lines[2], 'Term "rounds" is 1.5, but must be an integer from 1 to 65535.');
  assert.equal(lines[3], 'Term "acceptBps" is 4000, but must be an integer from 5001 to 9000.');
});

test("each bound admits its ends and nothing beyond", () => {
  // Wide enough for the bounds between terms to hold whatever single term is at its end.
  const roomy = {
    unbonding: 15_000_000,
    band: 1,
    dissentBand: 16_383,
    dissentBps: 0,
    headBps: 0,
    absentBps: 0,
    unrevealedBps: 5000,
  };
  const longPhases = ["propose", "publish", "ballot", "reveal", "grace"];
  const short = { propose: 1, publish: 1, ballot: 1, reveal: 1 };
  const tied: Record<string, Partial<Terms>> = {
    band: { dissentBand: 16_383 },
    unrevealedBps: { dissentBps: 0 },
    absentBps: { dissentBps: 5000 },
    ...Object.fromEntries(longPhases.map((phase) => [phase, phase === "grace" ? short : { ...short, grace: 0 }])),
    unbonding: { propose: 1, publish: 1, ballot: 1, reveal: 1, grace: 0 },
  };
  for (const [term, [min, max]] of Object.entries(termBounds)) {
    const place = (value: bigint | number) =>
      ({
        ...termsToJson(someTerms({ ...roomy, ...tied[term] })),
        [term]: typeof value === "bigint" ? String(value) : value,
      }) as object;
    parseTerms(place(max));
    assert.match(messageOf(place(typeof max === "bigint" ? max + 1n : max + 1)), new RegExp(`"${term}"`));
    if (term === "unbonding") continue; // its lower end is that of the phases
    parseTerms(place(min));
    if (typeof min === "bigint" || min > 0) {
      assert.match(messageOf(place(typeof min === "bigint" ? min - 1n : min - 1)), new RegExp(`"${term}"`));
    } else assert.match(messageOf(place(-1)), new RegExp(`"${term}"`));
  }
});

test("terms are bound to each other", () => {
  const seatStake = "1";
  assert.match(messageOf({ seatStake, unbonding: 118_799 }), /"unbonding" is 118799, .* = 118800 seconds/);
  assert.match(messageOf({ seatStake, dissentBand: 49 }), /"dissentBand" is 49, but must be at least band = 50/);
  assert.match(
    messageOf({ seatStake, unrevealedBps: 1499 }),
    /"unrevealedBps" is 1499, .* dissentBps \+ headBps = 1500/,
  );
  assert.match(messageOf({ seatStake, absentBps: 1001 }), /"absentBps" is 1001, but must be at most dissentBps = 1000/);
});

test("roles and payout are named, or numbered as the contracts have them", () => {
  const seatStake = "1";
  assert.equal(parseTerms({ seatStake, roles: "Drawn" }).roles, Roles.Drawn);
  assert.equal(parseTerms({ seatStake, payout: "Ranked" }).payout, Payout.Ranked);
  assert.equal(parseTerms({ seatStake, roles: 1 }).roles, Roles.Drawn);
  assert.equal(termsToJson(someTerms({ roles: Roles.Drawn })).roles, "Drawn");
  assert.match(messageOf({ seatStake, roles: "drawn" }), /^Term "roles" is "drawn", but must be Declared or Drawn\.$/);
  assert.match(messageOf({ seatStake, payout: 2 }), /^Term "payout" is 2, but must be Proportional or Ranked\.$/);
  assert.match(messageOf({ seatStake, roles: "toString" }), /"roles"/);
});

test("an unknown term is named", () => {
  assert.match(
    messageOf({ seatStake: "1", quorum: 3 }),
    /^There is no term "quorum"; the terms are seatStake, propose/,
  );
});

test("what is not an object is refused", () => {
  assert.match(messageOf([1]), /^The terms must be an object/);
  assert.match(messageOf(null), /^The terms must be an object/);
});

test("the longest round takes every grace", () => {
  assert.equal(longestRound(someTerms({ propose: 1, publish: 2, ballot: 4, reveal: 8, grace: 16 })), 47);
});
