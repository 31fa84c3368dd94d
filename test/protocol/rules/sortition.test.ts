import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Hex, keccak256 } from "viem";
import {
  accumulate,
  type Draw,
  drawnRole,
  luck,
  mix,
  seatsAs,
  seatsOf,
  type Ticket,
  voterSeed,
} from "../../../protocol/rules/sortition.ts";
import { Role, Roles } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";
import { addressOf, wordOf } from "../../support/words.ts";

const ticket: Ticket = {
  rounds: addressOf(0xaa),
  task: 3n,
  round: 5,
  pool: Role.Validator,
  operator: addressOf(0xbb),
};
const share = { weight: 250n, total: 10_000n, expected: 36, seatStake: 100n };

/** keccak256 of 32-byte words, written out by hand. */
function hashOf(...words: bigint[]): bigint {
  return BigInt(keccak256(`0x${words.map((word) => word.toString(16).padStart(64, "0")).join("")}`));
}

test("seats follow the formula over the hash of seed, contract, task, round, pool and operator", () => {
  const u = hashOf(7n, 0xaan, 3n, 5n, 1n, 0xbbn);
  assert.equal(luck(wordOf(7), ticket), u);
  assert.equal(seatsOf(u, share), Number((36n * 250n + (u % 10_000n)) / 10_000n));
});

test("each part of the ticket changes the luck", () => {
  const changes: Partial<Ticket>[] = [
    { rounds: addressOf(1) },
    { task: 4n },
    { round: 6 },
    { pool: Role.Trainer },
    { operator: addressOf(1) },
  ];
  const lucks = [luck(wordOf(8), ticket), ...changes.map((change) => luck(wordOf(7), { ...ticket, ...change }))];
  assert.equal(new Set([luck(wordOf(7), ticket), ...lucks]).size, changes.length + 2);
});

test("without weight, and in an empty pool, there are no seats", () => {
  assert.equal(seatsOf(7n, { ...share, weight: 0n }), 0);
  assert.equal(seatsOf(7n, { weight: 0n, total: 0n, expected: 36, seatStake: 100n }), 0);
  assert.equal(seatsOf(7n, { weight: 1n, total: 1n, expected: 1, seatStake: 1n }), 1);
});

test("a pool short of its seats fills fewer of them", () => {
  // All of a pool with stake for 4 of 36 seats: exactly 4, whatever the draw.
  const alone = { weight: 400n, total: 400n, expected: 36, seatStake: 100n };
  for (let i = 0; i < 50; i++) assert.equal(seatsOf(luck(wordOf(i), ticket), alone), 4);
});

test("seats are the expectation rounded down or up", () => {
  const cases = fc.record({
    seed: fc.bigInt(0n, 2n ** 256n - 1n),
    weight: fc.bigInt(1n, 10n ** 24n),
    rest: fc.bigInt(0n, 10n ** 26n),
  });
  holds(cases, ({ seed, weight, rest }) => {
    const total = weight + rest;
    const floor = 36n * 100n;
    const divisor = total > floor ? total : floor;
    const seats = BigInt(seatsOf(seed, { weight, total, expected: 36, seatStake: 100n }));
    const least = (36n * weight) / divisor;
    assert.ok(seats === least || seats === least + 1n);
  });
});

test("splitting a stake changes the mean of neither part nor whole", () => {
  const rounds = 4000;
  const mean = (parts: { operator: number; weight: bigint }[]) => {
    let seats = 0;
    for (let i = 0; i < rounds; i++) {
      for (const { operator, weight } of parts) {
        seats += seatsOf(luck(wordOf(i), { ...ticket, operator: addressOf(operator) }), { ...share, weight });
      }
    }
    return seats / rounds;
  };
  const expected = (36 * 1000) / 10_000;
  assert.ok(Math.abs(mean([{ operator: 1, weight: 1000n }]) - expected) < 0.05);
  const split = Array.from({ length: 10 }, (_, i) => ({ operator: 100 + i, weight: 100n }));
  assert.ok(Math.abs(mean(split) - expected) < 0.1);
});

test("the voters' seed depends on every salt and on a block after the first publication, but not on the order of publishing", () => {
  const parts = [1, 2, 3].map((n) => ({ salt: wordOf(n), operator: addressOf(n) }));
  const fold = (list: typeof parts) =>
    list.reduce<Hex>((acc, { salt, operator }) => accumulate(acc, salt, operator), wordOf(0));
  assert.equal(fold(parts), fold([...parts].reverse()));
  assert.notEqual(fold(parts), fold(parts.slice(1)));
  assert.equal(BigInt(accumulate(wordOf(0), wordOf(1), addressOf(2))), hashOf(1n, 2n));
  assert.equal(BigInt(voterSeed(wordOf(9), fold(parts))), hashOf(9n, BigInt(fold(parts))));
  assert.equal(BigInt(mix(wordOf(7), wordOf(5))), 7n ^ hashOf(5n));
  const late = accumulate(mix(fold(parts.slice(1)), wordOf(5)), parts[0]!.salt, parts[0]!.operator);
  assert.equal(late, mix(fold(parts), wordOf(5)), "whenever the value is latched");
});

test("an accumulator with leading zeros keeps its 32 bytes", () => {
  const once = accumulate(wordOf(0), wordOf(1), addressOf(2));
  assert.equal(accumulate(once, wordOf(1), addressOf(2)), wordOf(0));
});

const declared = someTerms({ seatStake: 100n, expectedTrainers: 6, expectedVoters: 36 });
const drawn = { ...declared, roles: Roles.Drawn };
const draw: Draw = {
  weight: 250n,
  trainerTotal: 20_000n,
  voterTotal: 10_000n,
  seed: wordOf(7),
  voterSeed: wordOf(8),
};

test("declared trainers draw under the round's seed and declared voters under the voters', each in its own pool", () => {
  const trainer = { ...ticket, pool: Role.Trainer };
  const lucky = { ...draw, weight: 2500n };
  const trainers = { weight: 2500n, total: 20_000n, expected: 6, seatStake: 100n };
  const voters = { weight: 2500n, total: 10_000n, expected: 36, seatStake: 100n };
  const asTrainer = seatsAs(declared, Role.Trainer, trainer, lucky);
  assert.equal(asTrainer, seatsOf(luck(wordOf(7), trainer), trainers));
  assert.equal(seatsAs(declared, Role.Validator, ticket, lucky), seatsOf(luck(wordOf(8), ticket), voters));
  assert.equal(seatsAs(declared, Role.Trainer, ticket, { ...draw, weight: 20_000n }), 0);
  assert.equal(seatsAs(declared, Role.Validator, trainer, { ...draw, weight: 10_000n }), 0);
});

test("seats wait for their seed", () => {
  const whole = { ...draw, weight: 20_000n };
  const trainer = { ...ticket, pool: Role.Trainer };
  assert.equal(seatsAs(declared, Role.Trainer, trainer, { ...whole, voterSeed: undefined }), 6);
  assert.equal(seatsAs(declared, Role.Trainer, trainer, { ...whole, seed: undefined }), 0);
  assert.equal(seatsAs(declared, Role.Validator, ticket, { ...whole, voterSeed: undefined }), 0);
});

test("drawn roles give every operator exactly one role, whose seats come from the whole pool's expectation", () => {
  const total = 10_000n;
  const rounds = 3000;
  const seats = { [Role.Trainer]: 0, [Role.Validator]: 0 };
  for (let i = 0; i < rounds; i++) {
    const at = { ...draw, weight: 1000n, trainerTotal: total, seed: wordOf(i), voterSeed: wordOf(i + rounds) };
    const mine = { ...ticket, pool: Role.Drawn };
    const both = [Role.Trainer, Role.Validator].map((role) => seatsAs(drawn, role as 0 | 1, mine, at));
    const share = { weight: 1000n, total, expected: 42, seatStake: 100n };
    const role = drawnRole(luck(wordOf(i), mine), share, 6);
    assert.equal(both[1 - role], 0);
    assert.ok(both[role] === 4 || both[role] === 5, "42 * 0.1 rounded down or up");
    seats[role as 0 | 1] += both[role]!;
  }
  assert.ok(Math.abs(seats[Role.Trainer] / rounds - 0.6) < 0.1, `${seats[Role.Trainer] / rounds} of 0.6`);
  assert.ok(Math.abs(seats[Role.Validator] / rounds - 3.6) < 0.1, `${seats[Role.Validator] / rounds} of 3.6`);
});

test("the quotient of luck draws the role and its rest the seats", () => {
  const share = { weight: 250n, total: 10_000n, expected: 42, seatStake: 100n };
  const u = (quotient: bigint, rest: bigint) => quotient * 10_000n + rest;
  for (const rest of [0n, 9999n]) {
    assert.equal(drawnRole(u(5n, rest), share, 6), Role.Trainer);
    assert.equal(drawnRole(u(6n, rest), share, 6), Role.Validator);
    assert.equal(drawnRole(u(42n + 41n, rest), share, 6), Role.Validator);
    assert.equal(drawnRole(u(84n, rest), share, 6), Role.Trainer);
  }
});
