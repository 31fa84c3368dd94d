import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Hex, keccak256 } from "viem";
import { accumulate, seatsOf, type Ticket, voterSeed } from "../../../protocol/rules/sortition.ts";
import { Role } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { addressOf, wordOf } from "../../support/words.ts";

const ticket: Ticket = {
  seed: wordOf(7),
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
  assert.equal(seatsOf(ticket, share), Number((36n * 250n + (u % 10_000n)) / 10_000n));
});

test("each part of the ticket changes the draw", () => {
  const many = (change: (i: number) => Partial<Ticket>) =>
    Array.from({ length: 64 }, (_, i) => seatsOf({ ...ticket, ...change(i) }, share)).join("");
  const draws = [
    many((i) => ({ seed: wordOf(i) })),
    many((i) => ({ seed: wordOf(i), rounds: addressOf(1) })),
    many((i) => ({ seed: wordOf(i), task: 4n })),
    many((i) => ({ seed: wordOf(i), round: 6 })),
    many((i) => ({ seed: wordOf(i), pool: Role.Trainer })),
    many((i) => ({ seed: wordOf(i), operator: addressOf(1) })),
  ];
  assert.equal(new Set(draws).size, draws.length);
});

test("without weight, and in an empty pool, there are no seats", () => {
  assert.equal(seatsOf(ticket, { ...share, weight: 0n }), 0);
  assert.equal(seatsOf(ticket, { weight: 0n, total: 0n, expected: 36, seatStake: 100n }), 0);
  assert.equal(seatsOf(ticket, { weight: 1n, total: 1n, expected: 1, seatStake: 1n }), 1);
});

test("a pool short of its seats fills fewer of them", () => {
  // All of a pool with stake for 4 of 36 seats: exactly 4, whatever the draw.
  const alone = { weight: 400n, total: 400n, expected: 36, seatStake: 100n };
  for (let i = 0; i < 50; i++) assert.equal(seatsOf({ ...ticket, seed: wordOf(i) }, alone), 4);
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
    const seats = BigInt(seatsOf({ ...ticket, seed: wordOf(seed) }, { weight, total, expected: 36, seatStake: 100n }));
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
        seats += seatsOf({ ...ticket, seed: wordOf(i), operator: addressOf(operator) }, { ...share, weight });
      }
    }
    return seats / rounds;
  };
  const expected = (36 * 1000) / 10_000;
  assert.ok(Math.abs(mean([{ operator: 1, weight: 1000n }]) - expected) < 0.05);
  const split = Array.from({ length: 10 }, (_, i) => ({ operator: 100 + i, weight: 100n }));
  assert.ok(Math.abs(mean(split) - expected) < 0.1);
});

test("the voters' seed depends on every salt, but not on the order of publishing", () => {
  const parts = [1, 2, 3].map((n) => ({ salt: wordOf(n), operator: addressOf(n) }));
  const fold = (list: typeof parts) =>
    list.reduce<Hex>((acc, { salt, operator }) => accumulate(acc, salt, operator), wordOf(0));
  assert.equal(fold(parts), fold([...parts].reverse()));
  assert.notEqual(fold(parts), fold(parts.slice(1)));
  assert.equal(BigInt(accumulate(wordOf(0), wordOf(1), addressOf(2))), hashOf(1n, 2n));
  assert.equal(BigInt(voterSeed(wordOf(9), fold(parts))), hashOf(9n, BigInt(fold(parts))));
});

test("an accumulator with leading zeros keeps its 32 bytes", () => {
  const once = accumulate(wordOf(0), wordOf(1), addressOf(2));
  assert.equal(accumulate(once, wordOf(1), addressOf(2)), wordOf(0));
});
