import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { applyUpdates } from "../../../learning/aggregate/apply.ts";
import { type Head, headDigest, headToFlat, writeHead, zeroHead } from "../../../learning/aggregate/head.ts";
import type { Aggregation } from "../../../learning/aggregate/shares.ts";
import { dequantise, type Update } from "../../../learning/artifact/quantise.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { extremeUpdate, randomUpdate, smallLayout } from "../../support/adapter.ts";

const plain: Aggregation = { cap: { num: 1, den: 1 }, rate: { num: 1, den: 1 } };
const loose: Aggregation = { cap: { num: 1000, den: 1 }, rate: { num: 1, den: 1 } };

/** An exact fraction; the reference below knows nothing else. */
type Fraction = { num: bigint; den: bigint };
const plus = (a: Fraction, b: Fraction) => ({ num: a.num * b.den + b.num * a.den, den: a.den * b.den });
const times = (a: Fraction, b: Fraction) => ({ num: a.num * b.num, den: a.den * b.den });
const least = (a: Fraction, b: Fraction) => (a.num * b.den <= b.num * a.den ? a : b);
const whole = (value: number | bigint): Fraction => ({ num: BigInt(value), den: 1n });
const power = (exponent: number): Fraction =>
  exponent < 0 ? { num: 1n, den: 2n ** BigInt(-exponent) } : whole(2n ** BigInt(exponent));

function rounded({ num, den }: Fraction): number {
  const sign = num < 0n ? -1n : 1n;
  const size = num * sign;
  let result = size / den;
  const rest = 2n * (size % den);
  if (rest > den || (rest === den && result % 2n === 1n)) result++;
  return Number(BigInt.asIntN(64, sign * result));
}

/** The sentence of the design, element by element, in fractions. */
function slowly(
  head: Head,
  updates: readonly Update[],
  factors: readonly bigint[],
  published: number,
  { cap, rate }: Aggregation,
): Head {
  const sum = factors.reduce((a, b) => a + b, 0n);
  const share = (factor: bigint) =>
    least({ num: factor, den: sum }, { num: BigInt(cap.num), den: BigInt(cap.den) * BigInt(published) });
  const tensors = head.tensors.map((tensor, t) => ({
    ...tensor,
    values: tensor.values.map((value, at) => {
      let total = whole(value);
      updates.forEach((update, i) => {
        const { q, exponents, columns } = update.tensors[t] as Update["tensors"][number];
        const element = times(
          whole(q[at] as number),
          power((exponents[Math.floor(at / columns)] as number) + head.exponent),
        );
        total = plus(
          total,
          times(times({ num: BigInt(rate.num), den: BigInt(rate.den) }, share(factors[i] as bigint)), element),
        );
      });
      return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, rounded(total)));
    }),
  }));
  return { ...head, tensors };
}

function randomHead(stream: Stream, exponent: number): Head {
  const bits = stream.below(32);
  const tensors = zeroHead(smallLayout).tensors.map((tensor) => ({
    ...tensor,
    values: tensor.values.map(() => (stream.below(2 ** 32) | 0) >> bits),
  }));
  return { exponent, tensors };
}

/** Head, updates, factors and weights of every size that the protocol allows, and beyond. */
function randomCase(stream: Stream) {
  const count = 1 + stream.below(4);
  const sizes = [3, 40, 70_000, 2 ** 31];
  const ratio = () => ({
    num: 1 + stream.below(sizes[stream.below(3)] as number),
    den: 1 + stream.below(sizes[stream.below(3)] as number),
  });
  const draw = [randomUpdate, extremeUpdate][stream.below(2)] as typeof extremeUpdate;
  return {
    head: randomHead(stream, stream.below(3) === 0 ? 8 + stream.below(23) : 20),
    updates: Array.from({ length: count }, () => draw(stream)),
    factors: Array.from({ length: count }, () => BigInt(1 + stream.below(sizes[stream.below(4)] as number))),
    published: count + stream.below(13),
    aggregation: stream.below(2) === 0 ? plain : { cap: ratio(), rate: ratio() },
  };
}

describe("applyUpdates", () => {
  it("equals exact fractions rounded half to even, element by element, on random cases", () => {
    const stream = new Stream("1", "apply");
    for (let round = 0; round < 300; round++) {
      const { head, updates, factors, published, aggregation } = randomCase(stream);
      assert.deepEqual(
        applyUpdates(head, updates, factors, published, aggregation),
        slowly(head, updates, factors, published, aggregation),
        `round ${round}`,
      );
    }
  });

  it("gives the same bytes for every order of the updates", () => {
    const stream = new Stream("2", "apply");
    for (let round = 0; round < 60; round++) {
      const { head, updates, factors, published, aggregation } = randomCase(stream);
      const bytes = writeHead(applyUpdates(head, updates, factors, published, aggregation));
      const order = stream.shuffle(updates.map((_, index) => index));
      const shuffled = applyUpdates(
        head,
        order.map((index) => updates[index] as Update),
        order.map((index) => factors[index] as bigint),
        published,
        aggregation,
      );
      assert.deepEqual(writeHead(shuffled), bytes);
    }
  });

  it("gives the same head on every machine", () => {
    const stream = new Stream("3", "apply");
    let head = zeroHead(smallLayout);
    for (let round = 0; round < 5; round++) {
      const updates = [randomUpdate(stream), randomUpdate(stream), randomUpdate(stream)];
      head = applyUpdates(head, updates, [71_233n, 5n, 1_048_573n], 4, plain);
    }
    assert.equal(headDigest(writeHead(head)), "0x3bcd6150007ef82d9fdbed02ba0fe9b7dc9b4949");
  });

  /** One update per row of `rows`, [exponent, q]; every element of it is q * 2^exponent. */
  const constant = (exponent: number, q: number): Update => ({
    tensors: smallLayout.map(({ name, rows, columns }) => ({
      name,
      rows,
      columns,
      q: new Int8Array(rows * columns).fill(q),
      exponents: new Int8Array(rows).fill(exponent),
    })),
  });
  const filled = (value: number): Head => {
    const head = zeroHead(smallLayout);
    for (const tensor of head.tensors) tensor.values.fill(value);
    return head;
  };
  const first = (head: Head) => head.tensors[0]?.values[0];

  it("adds a single update at the weight cap / published, and never at more", () => {
    const added = (published: number, aggregation = plain) =>
      first(applyUpdates(filled(0), [constant(-6, 64)], [9n], published, aggregation));
    assert.equal(added(1), 2 ** 20);
    assert.equal(added(4), 2 ** 18);
    assert.equal(added(4, { ...plain, cap: { num: 2, den: 1 } }), 2 ** 19);
    assert.equal(added(4, { ...plain, rate: { num: 1, den: 2 } }), 2 ** 17);
    assert.equal(added(4, loose), 2 ** 20);
  });

  it("weighs by factors below the cap, and caps one by one", () => {
    const updates = [constant(-6, 64), constant(-6, -64)];
    // Shares 3/4 and 1/4; of three published, the first is held at 1/3.
    assert.equal(first(applyUpdates(filled(0), updates, [3n, 1n], 3, loose)), 2 ** 19);
    assert.equal(first(applyUpdates(filled(0), updates, [3n, 1n], 3, plain)), Math.round(2 ** 20 / 12));
  });

  it("rounds ties to even, counted with the head, whether few or many digits decide them", () => {
    // Half a step of the head, from below, from above, with an even and an odd head.
    for (const factors of [
      [1n, 1n],
      [2_147_483_629n, 2_147_483_587n],
      [2n ** 200n + 235n, 2n ** 199n + 3n],
    ]) {
      const tie = (head: number, q: number) =>
        first(applyUpdates(filled(head), [constant(-21, q), constant(-21, q)], factors, 2, loose));
      assert.deepEqual([tie(0, 1), tie(1, 1), tie(0, -1), tie(1, -1), tie(0, 3), tie(-7, 1)], [0, 2, 0, 0, 2, -6]);
    }
  });

  it("finds ties that doubles miss", () => {
    const stream = new Stream("5", "apply");
    const updates = [constant(-21, 3), constant(-21, 3), constant(-21, 3)];
    for (let round = 0; round < 100; round++) {
      const factors = updates.map(() => BigInt(1 + stream.below(2 ** 31)));
      assert.equal(first(applyUpdates(filled(0), updates, factors, 3, loose)), 2);
    }
  });

  it("decides one part beside a tie exactly", () => {
    // 7 * numerator = 8 * denominator -/+ 1: the sum misses one half by the least possible.
    for (const [num, den, expected] of [
      [1_142_849, 999_993, 0],
      [1_142_855, 999_998, 1],
    ] as const) {
      const aggregation = { cap: { num: 1, den: 1 }, rate: { num, den } };
      for (const head of [0, 1, 2 ** 30, 2 ** 30 + 1, -(2 ** 30) - 1]) {
        assert.equal(first(applyUpdates(filled(head), [constant(-24, 7)], [1n], 1, aggregation)), head + expected);
      }
    }
    // 2 * numerator = denominator -/+ 1: the sum is the least fraction below and above one half.
    const den = 999_983;
    for (const [num, expected] of [
      [(den - 1) / 2, 0],
      [(den + 1) / 2, 1],
    ] as const) {
      const aggregation = { cap: { num: 1, den: 1 }, rate: { num, den } };
      assert.equal(first(applyUpdates(filled(0), [constant(-20, 1)], [1n], 1, aggregation)), expected);
      assert.equal(first(applyUpdates(filled(2 ** 30), [constant(-20, 1)], [1n], 1, aggregation)), 2 ** 30 + expected);
    }
    const near = [2n ** 80n, 2n ** 80n + 1n];
    const updates = [constant(-20, 0), constant(-20, 1)];
    assert.equal(first(applyUpdates(filled(0), updates, near, 2, loose)), 1);
    assert.equal(first(applyUpdates(filled(0), updates, near.toReversed(), 2, loose)), 0);
  });

  it("holds what goes beyond 32 bits at the ends", () => {
    const most = 2 ** 31 - 1;
    const pushed = (value: number, q: number, exponent = -20) =>
      first(applyUpdates(filled(value), [constant(exponent, q)], [1n], 1, plain));
    assert.equal(pushed(most - 1, 1), most);
    assert.equal(pushed(most, 1), most);
    assert.equal(pushed(most, 127, 0), most);
    assert.equal(pushed(-most, -1), -most - 1);
    assert.equal(pushed(-most - 1, -127, 0), -most - 1);
  });

  it("leaves the head it was given alone, and gives it back if nothing was accepted", () => {
    const head = filled(5);
    applyUpdates(head, [constant(-6, 64)], [1n], 1, plain);
    assert.deepEqual(head, filled(5));
    assert.deepEqual(applyUpdates(head, [], [], 4, plain), head);
  });

  it("moves the model by what the updates say, to a step of the head", () => {
    const stream = new Stream("4", "apply");
    const updates = [randomUpdate(stream), randomUpdate(stream)];
    const flat = headToFlat(applyUpdates(zeroHead(smallLayout), updates, [1n, 1n], 2, plain));
    const [a, b] = updates.map(dequantise) as [Float32Array, Float32Array];
    flat.forEach((value, at) => {
      assert.ok(Math.abs(value - ((a[at] as number) + (b[at] as number)) / 2) <= 2 ** -21);
    });
  });

  it("refuses updates of another adapter, wrong counts and factors that are not positive", () => {
    const update = constant(-6, 1);
    const refuses = (updates: Update[], factors: bigint[], published: number, pattern: RegExp) =>
      assert.throws(
        () => applyUpdates(filled(0), updates, factors, published, plain),
        (error) => error instanceof PermanentError && pattern.test(error.message),
      );
    refuses([update], [], 1, /1 updates cannot be weighed by 0 factors/);
    refuses([update], [0n], 1, /factors 0 are not all positive/);
    refuses([update, update], [1n, -1n], 2, /not all positive/);
    refuses([update, update], [1n, 1n], 1, /2 updates cannot be accepted of 1 published/);
    refuses([{ tensors: update.tensors.slice(1) }], [1n], 1, /another adapter/);
    refuses([{ tensors: update.tensors.toReversed() }], [1n], 1, /another adapter/);
  });
});
