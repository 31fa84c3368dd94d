import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { narrow, type StoredDtype, widen } from "../../../learning/export/storedNumbers.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const DTYPES: readonly StoredDtype[] = ["F32", "F16", "BF16"];
const random = new Stream("stored", "numbers");

describe("numbers of a file", () => {
  it("of 16 bits are the same after reading and writing, all that there are", () => {
    for (const dtype of ["F16", "BF16"] as const) {
      const exponent = dtype === "F16" ? 0x7c00 : 0x7f80;
      const words = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((word) => (word & exponent) !== exponent);
      const bytes = new Uint8Array(words.buffer);
      assert.deepEqual(narrow(widen(bytes, dtype), dtype, "x"), bytes, dtype);
    }
  });

  it("are rounded once, to the nearest, ties to even", () => {
    const step = 2 ** -7; // of bfloat16 between 1 and 2
    const cases: [number, number][] = [
      [1 + 0.5 * step, 1],
      [1 + 1.5 * step, 1 + 2 * step],
      [1 + 0.5 * step + 2 ** -40, 1 + step], // a tie in float32 only
      [1 + 1.5 * step - 2 ** -40, 1 + step],
      [-1 - 0.5 * step - 2 ** -40, -1 - step],
      [-1 - 1.5 * step + 2 ** -40, -1 - step],
    ];
    const given = Float64Array.from(cases, ([from]) => from);
    assert.deepEqual(
      [...widen(narrow(given, "BF16", "x"), "BF16")],
      cases.map(([, to]) => to),
    );
    for (const dtype of DTYPES) {
      for (let i = 0; i < 10_000; i++) {
        const value = random.normal() * 2 ** (random.below(20) - 10);
        const bytes = narrow(Float64Array.of(value), dtype, "x");
        const found = widen(bytes, dtype)[0] as number;
        // Its neighbours in the type are no nearer.
        for (const by of [-1, 1]) {
          const neighbour = Uint8Array.from(bytes);
          const view = new DataView(neighbour.buffer);
          if (dtype === "F32") view.setUint32(0, view.getUint32(0, true) + by, true);
          else view.setUint16(0, view.getUint16(0, true) + by, true);
          const other = widen(neighbour, dtype)[0] as number;
          assert.ok(Math.abs(found - value) <= Math.abs(other - value), `${dtype} ${value}`);
        }
      }
    }
  });

  it("beyond the range of their type are refused, and what to do is said", () => {
    for (const [dtype, largest] of [
      ["F16", 65_504],
      ["BF16", 3.3895313892515355e38],
      ["F32", 3.4028234663852886e38],
    ] as const) {
      assert.deepEqual([...widen(narrow(Float64Array.of(largest, -largest), dtype, "x"), dtype)], [largest, -largest]);
      for (const value of [largest * 1.01, -largest * 1.01, Number.NaN]) {
        assert.throws(
          () => narrow(Float64Array.of(0, value), dtype, '"w" of x'),
          (error: Error) => error instanceof PermanentError && /"w" of x: .* beyond the range/.test(error.message),
        );
      }
    }
  });
});
