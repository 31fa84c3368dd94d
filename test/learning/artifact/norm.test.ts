import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clipToNorm, type NormLimit, productNorm } from "../../../learning/artifact/norm.ts";
import { dequantise, type Update } from "../../../learning/artifact/quantise.ts";
import { factorA, factorAToFloat } from "../../../learning/model/adapter.ts";
import { Stream } from "../../../learning/random.ts";
import { extremeUpdate, randomDelta, randomUpdate, smallLayout, smallLimit, smallSpec } from "../../support/adapter.ts";

/** ‖2 B A‖_F by multiplying the matrices out in doubles. */
function multipliedOut(update: Update): number {
  const flat = dequantise(update);
  let sum = 0;
  for (const tensor of smallLayout) {
    const a = factorAToFloat(factorA(smallSpec, tensor));
    for (let row = 0; row < tensor.rows; row++) {
      for (let input = 0; input < tensor.inputs; input++) {
        let element = 0;
        for (let k = 0; k < tensor.columns; k++) {
          element +=
            (flat[tensor.offset + row * tensor.columns + k] as number) * (a[k * tensor.inputs + input] as number);
        }
        sum += (2 * element) ** 2;
      }
    }
  }
  return Math.sqrt(sum);
}

/** The same, exactly: the squared norm in units of 2^-78, as a bigint. */
function squaredExactly(update: Update): bigint {
  let sum = 0n;
  for (const [index, tensor] of smallLayout.entries()) {
    const { integers } = factorA(smallSpec, tensor);
    const { q, exponents } = update.tensors[index] as Update["tensors"][number];
    for (let row = 0; row < tensor.rows; row++) {
      for (let input = 0; input < tensor.inputs; input++) {
        let element = 0n;
        for (let k = 0; k < tensor.columns; k++) {
          element +=
            BigInt(q[row * tensor.columns + k] as number) * BigInt(integers[k * tensor.inputs + input] as number);
        }
        sum += (element ** 2n) << BigInt(2 * ((exponents[row] as number) + 24));
      }
    }
  }
  return sum;
}

describe("productNorm", () => {
  it("is the norm of the matrices multiplied out", () => {
    const stream = new Stream("1", "norm");
    for (let round = 0; round < 50; round++) {
      const update = randomUpdate(stream);
      const expected = multipliedOut(update);
      assert.ok(Math.abs(productNorm(update, smallLimit) - expected) <= 1e-9 * expected);
    }
  });

  it("is exact up to the square root, for any bytes and exponents", () => {
    const stream = new Stream("2", "norm");
    for (let round = 0; round < 100; round++) {
      const update = extremeUpdate(stream);
      const expected = 2 * Math.sqrt(Number(squaredExactly(update)) * 2 ** -78);
      assert.equal(productNorm(update, smallLimit), expected);
    }
  });

  it("is zero for no change, and does not see the sign", () => {
    const update = randomUpdate(new Stream("3", "norm"));
    const mirrored = { tensors: update.tensors.map((tensor) => ({ ...tensor, q: tensor.q.map((value) => -value) })) };
    assert.equal(productNorm(mirrored, smallLimit), productNorm(update, smallLimit));
    assert.equal(
      productNorm(clipToNorm(smallLayout, new Float32Array(dequantise(update).length), smallLimit), smallLimit),
      0,
    );
  });
});

describe("clipToNorm", () => {
  const limited = (maxNorm: number): NormLimit => ({ ...smallLimit, maxNorm });

  it("leaves an update within the limit as it is", () => {
    const delta = randomDelta(new Stream("4", "norm"));
    const update = clipToNorm(smallLayout, delta, limited(100));
    assert.deepEqual(clipToNorm(smallLayout, delta, limited(productNorm(update, smallLimit))), update);
  });

  it("shortens a longer one to the limit, and hardly below it", () => {
    const stream = new Stream("5", "norm");
    for (let round = 0; round < 50; round++) {
      const delta = randomDelta(stream);
      const free = productNorm(clipToNorm(smallLayout, delta, limited(1e9)), smallLimit);
      const maxNorm = free * (0.05 + 0.9 * stream.float());
      const norm = productNorm(clipToNorm(smallLayout, delta, limited(maxNorm)), smallLimit);
      assert.ok(norm <= maxNorm && norm > 0.97 * maxNorm, `${norm} of ${maxNorm}`);
    }
  });

  it("ends on huge updates and on limits that only zero keeps", () => {
    const stream = new Stream("6", "norm");
    const huge = randomDelta(stream, smallLayout, 1e30);
    assert.ok(productNorm(clipToNorm(smallLayout, huge, limited(1)), smallLimit) <= 1);
    assert.equal(productNorm(clipToNorm(smallLayout, randomDelta(stream), limited(1e-12)), smallLimit), 0);
  });
});
