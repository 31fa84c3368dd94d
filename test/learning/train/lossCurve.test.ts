import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drawLosses } from "../../../learning/train/lossCurve.ts";

const pointsOf = (svg: string) =>
  [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) =>
    (points as string).split(" ").map((point) => point.split(",").map(Number) as [number, number]),
  );

describe("the plot of the losses", () => {
  const losses = Array.from({ length: 20 }, (_, i) => 3 - i / 10);

  it("shows every step, its moving average and each look at what is held out", () => {
    const lines = pointsOf(drawLosses({ losses, heldOut: [2.5, 2, 2.2], every: 8 }));
    assert.deepEqual(
      lines.map((line) => line.length),
      [20, 20, 3],
    );
    const [steps, average, looks] = lines as [[number, number][], [number, number][], [number, number][]];
    assert.ok(
      steps.every(([, y], i) => i === 0 || y > (steps[i - 1]?.[1] as number)),
      "a falling loss goes down",
    );
    assert.ok((average[19]?.[1] as number) < (steps[19]?.[1] as number), "the average lags behind");
    assert.deepEqual(
      looks.map(([x]) => x),
      [8, 16, 20].map((step) => steps[step - 1]?.[0]),
    );
  });

  it("has no line for what was not held out, and draws a single step", () => {
    const lines = pointsOf(drawLosses({ losses: [1], heldOut: [], every: 50 }));
    assert.equal(lines.length, 2);
    assert.ok(lines.flat(2).every(Number.isFinite));
  });

  it("shows 200,000 steps and looks", () => {
    const many = Array.from({ length: 200_000 }, (_, i) => 3 - i / 200_000);
    const lines = pointsOf(drawLosses({ losses: many, heldOut: many, every: 1 }));
    assert.deepEqual(
      lines.map((line) => line.length),
      [200_000, 200_000, 200_000],
    );
  });
});
