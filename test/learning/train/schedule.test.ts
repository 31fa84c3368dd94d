import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchOrder } from "../../../learning/train/order.ts";
import { rateAt, type Schedule } from "../../../learning/train/schedule.ts";

const rates = (schedule: Schedule, steps: number) =>
  Array.from({ length: steps }, (_, step) => rateAt(schedule, step, steps));

describe("the learning rate", () => {
  it("is constant by default", () => {
    assert.deepEqual(rates({ rate: 0.5 }, 3), [0.5, 0.5, 0.5]);
  });

  it("rises linearly to its highest value", () => {
    assert.deepEqual(rates({ rate: 1, warmup: 4 }, 6), [0.25, 0.5, 0.75, 1, 1, 1]);
  });

  it("falls along half a cosine towards a hundredth", () => {
    const all = rates({ rate: 1, warmup: 2, decay: "cosine" }, 102);
    assert.equal(all[2], 1);
    assert.ok(Math.abs((all[52] as number) - 0.505) < 1e-9);
    assert.ok(all.slice(2).every((rate, i, rest) => i === 0 || rate < (rest[i - 1] as number)));
    assert.ok(Math.abs((all[101] as number) - 0.01) < 1e-3);
  });
});

describe("the order of examples", () => {
  it("is the same for the same seed and another for another", () => {
    assert.deepEqual(batchOrder(10, 5, 4, "a"), batchOrder(10, 5, 4, "a"));
    assert.notDeepEqual(batchOrder(10, 5, 4, "a"), batchOrder(10, 5, 4, "b"));
  });

  it("takes every example once before any twice", () => {
    const order = batchOrder(10, 5, 4, "a").flat();
    assert.equal(order.length, 20);
    for (const epoch of [order.slice(0, 10), order.slice(10)]) assert.equal(new Set(epoch).size, 10);
  });

  it("fills a batch from few examples by taking them again", () => {
    assert.deepEqual(batchOrder(1, 2, 3, "a"), [
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});
