import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { largest, smallest } from "../../learning/extremes.ts";

describe("largest and smallest", () => {
  it("are those of more numbers than a function takes arguments", () => {
    const numbers = Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 200_003);
    assert.throws(() => Math.max(...numbers), RangeError);
    assert.equal(largest(numbers), numbers.toSorted((a, b) => b - a)[0]);
    assert.equal(smallest(numbers), 0);
  });

  it("are, of none or of what is no number, what Math.max and Math.min say", () => {
    for (const numbers of [[], [-3], [2, -5], [1, Number.NaN, 2]]) {
      assert.equal(largest(numbers), Math.max(...numbers));
      assert.equal(smallest(numbers), Math.min(...numbers));
    }
  });
});
