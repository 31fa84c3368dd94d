import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BLOCK, decode, encode } from "../../../learning/graph/fourBit.ts";
import { Stream } from "../../../learning/random.ts";

const refuse = (index: number): never => {
  throw new Error(`number ${index}`);
};

function encoded(numbers: ArrayLike<number>) {
  const codes = new Uint8Array(numbers.length / 2);
  const scales = new Float16Array(numbers.length / BLOCK);
  const loss = encode(Float32Array.from(numbers), codes, scales, refuse);
  return { codes, scales, loss };
}

/** The same, said as plainly as can be, for one block. */
function reference(block: readonly number[]) {
  const codesFor = (scale: number) =>
    block.map((number) => {
      if (scale === 0) return 8;
      const exact = number * (1 / scale);
      const down = Math.floor(exact);
      const half = exact - down === 0.5;
      const whole = half ? down + Math.abs(down % 2) : Math.round(exact);
      return Math.min(15, Math.max(0, whole + 8));
    });
  const lossOf = (scale: number) =>
    codesFor(scale).reduce((sum, code, i) => sum + ((block[i] as number) - (code - 8) * scale) ** 2, 0);
  const [high, low] = [Math.max(0, ...block), Math.min(0, ...block)];
  const first = Math.f16round((high > -low ? high : low) / -8) || 0;
  let [cross, square] = [0, 0];
  for (const [i, code] of codesFor(first).entries()) {
    cross += (block[i] as number) * (code - 8);
    square += (code - 8) ** 2;
  }
  const fitted = Math.f16round(cross / square);
  const scale = lossOf(fitted) < lossOf(first) ? fitted : first;
  return { scale, codes: codesFor(scale) };
}

/** Blocks of many kinds: sizes from those that float16 has no number for to large ones, with zeros, equals and few that stand out. */
function randomBlock(random: Stream): number[] {
  const size = 2 ** (random.below(46) - 34);
  const kind = random.below(4);
  return Array.from({ length: BLOCK }, () => {
    if (kind === 0) return Math.fround(size * random.normal());
    if (kind === 1) return Math.fround(size * (random.below(9) - 4));
    if (kind === 2) return random.below(8) === 0 ? Math.fround(size * random.normal()) : 0;
    return Math.fround(size * (random.below(20) === 0 ? 30 : 1) * random.normal());
  });
}

describe("codes of 4 bits", () => {
  it("are those that the plain words give, for any numbers", () => {
    const random = new Stream("four bits", "property");
    for (let i = 0; i < 3000; i++) {
      const block = randomBlock(random);
      const { codes, scales } = encoded(block);
      const expected = reference(block);
      assert.equal(scales[0], expected.scale, `block ${i}`);
      const halves = [...codes].flatMap((byte) => [byte & 15, byte >> 4]);
      assert.deepEqual(halves, expected.codes, `block ${i}`);
    }
  });

  it("stand for numbers at most half a scale away, but for the few that are cut off", () => {
    const random = new Stream("four bits", "distance");
    const numbers = Array.from({ length: 64 * BLOCK }, () => Math.fround(random.normal()));
    const { codes, scales, loss } = encoded(numbers);
    const back = decode(codes, scales);
    let error = 0;
    for (const [i, number] of numbers.entries()) {
      const difference = Math.abs((back[i] as number) - number);
      assert.ok(difference <= 1.3 * Math.abs(scales[Math.floor(i / BLOCK)] as number), `number ${i}`);
      error += difference ** 2;
    }
    assert.ok(Math.abs(error / loss.error - 1) < 1e-6);
    const relative = Math.sqrt(loss.error / loss.energy);
    assert.ok(relative > 0.08 && relative < 0.088, `${relative}`);
  });

  it("of numbers that they can say are those numbers", () => {
    const random = new Stream("four bits", "exact");
    const scale = Math.f16round(0.0123);
    const numbers = Array.from({ length: 20 * BLOCK }, (_, i) => scale * (i % BLOCK === 0 ? -8 : random.below(16) - 8));
    const { codes, scales, loss } = encoded(numbers);
    assert.deepEqual([...decode(codes, scales)], [...Float32Array.from(numbers)]);
    assert.equal(loss.error, 0);
  });

  it("of zeros are zeros, also of numbers too small for any scale", () => {
    for (const number of [0, -0, 1e-12]) {
      const { codes, scales } = encoded(new Float32Array(BLOCK).fill(number));
      assert.ok(Object.is(scales[0], 0));
      assert.ok(codes.every((byte) => byte === 0x88));
      assert.ok(decode(codes, scales).every((value) => value === 0));
    }
  });

  it("are refused of what is no number, infinite or beyond all scales, its place named", () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e6, -1e6]) {
      const numbers = new Float32Array(3 * BLOCK).fill(1);
      numbers[BLOCK + 7] = wrong;
      assert.throws(() => encoded(numbers), /number 39$/);
    }
  });
});
