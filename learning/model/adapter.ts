import { PermanentError } from "../../protocol/errors.ts";
import { keystream } from "../random.ts";
import type { ModelConfig } from "./config.ts";
import { linearShape, TARGETS, type Target } from "./weights.ts";

/**
 * A low-rank change W + (alpha / rank) * B A of some linear layers (LoRA, Hu et al. 2021) whose factor A is fixed and public (FFA-LoRA, Sun et al.
 * 2024): only B is trained, so the change is linear in what is averaged.
 */
export type AdapterSpec = {
  rank: number;
  alpha: number;
  targets: readonly string[];
  /** Derives every factor A. */
  seed: string;
};

/** One trained factor B, [rows, columns = rank], at `offset` (in elements) of the flat adapter; `inputs` is the width of its layer. */
export type AdapterTensor = {
  name: string;
  layer: number;
  target: Target;
  rows: number;
  columns: number;
  inputs: number;
  offset: number;
};

/** All factors B in canonical order: by layer, then in the order of `TARGETS`. */
export function adapterLayout(config: ModelConfig, spec: AdapterSpec): AdapterTensor[] {
  const targets = checkedTargets(spec);
  const layout: AdapterTensor[] = [];
  let offset = 0;
  for (let layer = 0; layer < config.layers; layer++) {
    for (const target of targets) {
      const { rows, inputs } = linearShape(config, target);
      layout.push({ name: `layers.${layer}.${target}.B`, layer, target, rows, columns: spec.rank, inputs, offset });
      offset += rows * spec.rank;
    }
  }
  return layout;
}

/** Length of the flat adapter, in elements. */
export function adapterSize(layout: readonly AdapterTensor[]): number {
  return layout.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
}

/** What B A is multiplied by. */
export function adapterScale(spec: AdapterSpec): number {
  return spec.alpha / spec.rank;
}

/** A = integers * 2^exponent, [rank, inputs] row-major. */
export type FactorA = { integers: Int16Array; exponent: number };

const EXPONENT = -15;

/**
 * The fixed factor A of one layer: uniform on a grid of 2^-15 with variance 1 / inputs, from the keystream of the seed and the layer's name. Whole
 * numbers all the way, so that every machine gets the same bits and norms of B A can be computed exactly.
 */
export function factorA(spec: AdapterSpec, tensor: AdapterTensor): FactorA {
  const { layer, target, inputs } = tensor;
  const size = spec.rank * inputs;
  // A uniform variable on [-limit, limit] has variance limit^2 / 3.
  const limit = Math.min(32767, Math.floor(Math.sqrt((3 * 2 ** (-2 * EXPONENT)) / inputs)));
  const words = keystream(spec.seed, `layers.${layer}.${target}.A`, 2 * size);
  const integers = new Int16Array(size);
  for (let i = 0; i < size; i++) {
    integers[i] = Math.floor((words.readUInt16LE(2 * i) * (2 * limit + 1)) / 65536) - limit;
  }
  return { integers, exponent: EXPONENT };
}

/** A as float32; exact. */
export function factorAToFloat({ integers, exponent }: FactorA): Float32Array {
  return Float32Array.from(integers, (integer) => integer * 2 ** exponent);
}

function checkedTargets({ rank, alpha, targets }: AdapterSpec): Target[] {
  if (!Number.isInteger(rank) || rank < 1 || rank > 1024) {
    throw new PermanentError(`The adapter's rank ${rank} is not a whole number from 1 to 1024.`);
  }
  if (!(alpha > 0) || alpha > 65536) throw new PermanentError(`The adapter's alpha ${alpha} is not in (0, 65536].`);
  const unknown = targets.find((target) => !TARGETS.includes(target as Target));
  if (unknown !== undefined) {
    throw new PermanentError(`The adapter's target "${unknown}" is none of ${TARGETS.join(", ")}.`);
  }
  if (targets.length === 0 || new Set(targets).size !== targets.length) {
    throw new PermanentError("The adapter's targets must be named once each, and at least one.");
  }
  return TARGETS.filter((target) => targets.includes(target));
}
