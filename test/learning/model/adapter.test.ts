import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { adapterLayout, adapterScale, adapterSize, factorA, factorAToFloat } from "../../../learning/model/adapter.ts";
import { TARGETS } from "../../../learning/model/weights.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { smallConfig } from "../../support/adapter.ts";

const spec = { rank: 4, alpha: 8, targets: [...TARGETS], seed: "seed" };

describe("an adapter's layout", () => {
  it("goes by layer, then in canonical order whatever order the targets are named in", () => {
    const targets = ["down_proj", "q_proj", "k_proj"];
    const layout = adapterLayout(smallConfig, { ...spec, targets });
    assert.deepEqual(
      layout.map(({ name, rows, columns, inputs, offset }) => [name, rows, columns, inputs, offset]),
      [
        ["layers.0.q_proj.B", 8, 4, 8, 0],
        ["layers.0.k_proj.B", 4, 4, 8, 32],
        ["layers.0.down_proj.B", 8, 4, 12, 48],
        ["layers.1.q_proj.B", 8, 4, 8, 80],
        ["layers.1.k_proj.B", 4, 4, 8, 112],
        ["layers.1.down_proj.B", 8, 4, 12, 128],
      ],
    );
    assert.equal(adapterSize(layout), 160);
    assert.equal(adapterScale(spec), 2);
  });

  for (const [what, change] of Object.entries({
    "an unknown target": { targets: ["lm_head"] },
    "a target twice": { targets: ["q_proj", "q_proj"] },
    "no target": { targets: [] },
    "rank 0": { rank: 0 },
    "half a rank": { rank: 1.5 },
    "an absurd rank": { rank: 1e9 },
    "alpha 0": { alpha: 0 },
    "an alpha that is no number": { alpha: Number.NaN },
  })) {
    it(`with ${what} is refused`, () => {
      assert.throws(() => adapterLayout(smallConfig, { ...spec, ...change }), PermanentError);
    });
  }
});

describe("a fixed factor A", () => {
  const layout = adapterLayout(smallConfig, spec);

  it("has the same bits on every machine", () => {
    const hash = createHash("sha256");
    for (const tensor of layout) hash.update(new Uint8Array(factorA(spec, tensor).integers.buffer));
    assert.equal(hash.digest("hex"), "9bccec7b8ba87f12a92650dcc7f0bd18ca139472dbf3f9670f03ba3c8540115c");
  });

  it("differs between layers, targets and seeds", () => {
    const texts = layout.map((tensor) => factorA(spec, tensor).integers.join());
    texts.push(factorA({ ...spec, seed: "other" }, layout[0]!).integers.join());
    assert.equal(new Set(texts).size, texts.length);
  });

  it("has mean 0, variance 1 / inputs and bounds that it reaches on both sides", () => {
    const wide = { ...layout[0]!, inputs: 4096 };
    const numbers = factorAToFloat(factorA({ ...spec, rank: 16 }, wide));
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    const variance = numbers.reduce((a, b) => a + b * b, 0) / numbers.length;
    assert.ok(Math.abs(mean) < 3e-4, `${mean}`);
    assert.ok(Math.abs(variance * 4096 - 1) < 0.02, `${variance * 4096}`);
    const bound = Math.sqrt(3 / 4096);
    assert.ok(Math.max(...numbers) <= bound && Math.max(...numbers) > 0.99 * bound);
    assert.ok(Math.min(...numbers) >= -bound && Math.min(...numbers) < -0.99 * bound);
  });
});
