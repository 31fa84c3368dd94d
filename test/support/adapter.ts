import { normLimit } from "../../learning/artifact/norm.ts";
import { MIN_EXPONENT, quantise, type Update } from "../../learning/artifact/quantise.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../learning/model/adapter.ts";
import type { ModelConfig } from "../../learning/model/config.ts";
import type { Stream } from "../../learning/random.ts";

/** A model shape for tests of adapters alone: no weights belong to it. */
export const smallConfig: ModelConfig = {
  family: "llama",
  vocabulary: 263,
  hidden: 8,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  headSize: 4,
  feedForward: 12,
  maxPositions: 32,
  normEpsilon: 1e-6,
  ropeTheta: 10_000,
  bias: "none",
  tied: true,
  endTokens: [2],
};

export const smallSpec: AdapterSpec = {
  rank: 3,
  alpha: 6,
  targets: ["q_proj", "k_proj", "down_proj"],
  seed: `0x${"5a".repeat(32)}`,
};

export const smallLayout = adapterLayout(smallConfig, smallSpec);
export const smallLimit = normLimit(smallSpec, smallLayout, 1000);

/** A flat adapter of uniform numbers; every row has a magnitude of its own, and some are zero. */
export function randomDelta(stream: Stream, layout = smallLayout, magnitude = 0.1): Float32Array {
  const delta = new Float32Array(adapterSize(layout));
  for (const { rows, columns, offset } of layout) {
    for (let row = 0; row < rows; row++) {
      const size = stream.below(8) === 0 ? 0 : magnitude * 2 ** -stream.below(6);
      for (let column = 0; column < columns; column++)
        delta[offset + row * columns + column] = size * (2 * stream.float() - 1);
    }
  }
  return delta;
}

export function randomUpdate(stream: Stream, layout = smallLayout, magnitude = 0.1): Update {
  return quantise(layout, randomDelta(stream, layout, magnitude));
}

/** An update with any bytes in range, far beyond what training makes. */
export function extremeUpdate(stream: Stream, layout = smallLayout): Update {
  const tensors = layout.map(({ name, rows, columns }) => ({
    name,
    rows,
    columns,
    q: Int8Array.from({ length: rows * columns }, () => stream.below(255) - 127),
    exponents: Int8Array.from({ length: rows }, () => stream.below(-MIN_EXPONENT + 1) + MIN_EXPONENT),
  }));
  return { tensors };
}
