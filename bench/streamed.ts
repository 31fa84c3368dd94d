import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { measureGemmRate } from "../learning/graph/gemmRate.ts";
import { openCheckpoint } from "../learning/model/checkpoint.ts";
import { TARGETS } from "../learning/model/weights.ts";
import { planStreamed } from "../learning/train/streamedPlan.ts";
import type { OptionValues, Report } from "../tools/bench.ts";
import { writeQuantisedCheckpoint } from "./support/quantisedCheckpoint.ts";
import { usage, wholeOption } from "./support/settings.ts";
import type { StreamRun, StreamTask } from "./support/streamProgram.ts";

export const options = {
  ...{ shape: { type: "string" }, layers: { type: "string" }, tokens: { type: "string" } },
  ...{ steps: { type: "string" }, threads: { type: "string" } },
} as const;

/** A layer of Llama 3.1 70B; and small ones, of which many can be run. */
const SHAPES: Readonly<Record<string, HfSize>> = {
  "70B": { hidden_size: 8192, num_attention_heads: 64, num_key_value_heads: 8, intermediate_size: 28_672 },
  "8B": { hidden_size: 4096, num_attention_heads: 32, num_key_value_heads: 8, intermediate_size: 14_336 },
  "1B": { hidden_size: 2048, num_attention_heads: 32, num_key_value_heads: 8, intermediate_size: 8192 },
};
type HfSize = Record<"hidden_size" | "num_attention_heads" | "num_key_value_heads" | "intermediate_size", number>;
/** Shape and layers of what is measured. */
const DEFAULT: readonly [string, number][] = [
  ["70B", 1],
  ["1B", 16],
  ["1B", 32],
];
const RANK = 16;
const ROWS = 2;

type Row = {
  shape: string;
  layers: number;
  tokens: number;
  peakBytes: number;
  plannedBytes: number;
  diskBytes: number;
  secondsPerStep: number;
  gigaflops: number;
  gemmFraction: number;
};

const run = promisify(execFile);
const program = fileURLToPath(new URL("support/streamProgram.ts", import.meta.url));

/**
 * Memory and time of training on a base in 4 bits, one group of layers at a time: one layer of a 70B model, and a model of small layers at two depths, whose
 * memory should be the same.
 */
export default async function streamedBench(given: OptionValues): Promise<Report> {
  const tokens = wholeOption(given, "tokens", 256, 32, 4096);
  const threads = wholeOption(given, "threads", 2, 1, 256);
  const steps = wholeOption(given, "steps", 2, 1, 100);
  if (tokens % ROWS !== 0) throw usage(`--tokens must be even: they are ${ROWS} rows.`);
  const wanted: readonly [string, number][] =
    given.shape === undefined && given.layers === undefined
      ? DEFAULT
      : [[String(given.shape ?? "70B"), wholeOption(given, "layers", 1, 1, 256)]];
  const rate = await measureGemmRate({ device: "cpu", threads });
  const rows: Row[] = [];
  for (const [shape, layers] of wanted) rows.push(await measure({ shape, layers, tokens, threads, steps, rate }));
  const [first] = rows as [Row];
  const { peakBytes, secondsPerStep, layers } = first;
  return {
    lines: linesOf(rows, { threads, steps }),
    json: { peakBytes, secondsPerStep, layers, threads, gemmRate: rate, rows },
  };
}

type Measured = { shape: string; layers: number; tokens: number; threads: number; steps: number; rate: number };

async function measure({ shape, layers, tokens, threads, steps, rate }: Measured): Promise<Row> {
  const size = SHAPES[shape];
  if (size === undefined) throw usage(`There is no shape "${shape}"; there are ${Object.keys(SHAPES).join(", ")}.`);
  const folder = await mkdtemp(join(tmpdir(), "flock-bench-"));
  try {
    await requireDisk(folder, shape, layers);
    const config = {
      ...{ model_type: "llama", vocab_size: 4096, num_hidden_layers: layers, tie_word_embeddings: true },
      ...{ max_position_embeddings: tokens, rms_norm_eps: 1e-5, ...size },
    };
    await writeQuantisedCheckpoint(folder, config, size.hidden_size);
    const length = tokens / ROWS;
    const task: StreamTask = { folder, batch: ROWS, length, rank: RANK, steps, threads };
    const { stdout } = await run(process.execPath, [program, JSON.stringify(task)]);
    const { secondsPerStep, peakBytes } = JSON.parse(stdout) as StreamRun;
    const spec = { rank: RANK, alpha: 2 * RANK, targets: TARGETS, seed: "bench" };
    const plan = planStreamed(await openCheckpoint(folder), { spec, batch: ROWS, length, accumulate: 1 });
    return {
      ...{ shape, layers, tokens, peakBytes, plannedBytes: plan.memory.total, secondsPerStep },
      diskBytes: (await stat(join(folder, "model.safetensors"))).size,
      gigaflops: plan.flops / secondsPerStep / 1e9,
      gemmFraction: plan.flops / secondsPerStep / rate,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws FlockError (usage) if the base would not fit onto the disk. */
async function requireDisk(folder: string, shape: string, layers: number): Promise<void> {
  const { hidden_size: width, intermediate_size: wide } = SHAPES[shape] as HfSize;
  const needed = layers * width * (3 * wide + 2.5 * width) * 0.5625 * 1.1;
  const { bavail, bsize } = await statfs(folder);
  if (needed < bavail * bsize) return;
  throw usage(`${layers} layers take ${mebibytes(needed)} MiB in ${folder}, which has ${mebibytes(bavail * bsize)}.`);
}

function linesOf(rows: readonly Row[], { threads, steps }: { threads: number; steps: number }): string[] {
  const head = ["shape", "layers", "tokens", "disk MiB", "peak MiB", "planned", "s/step", "GFLOP/s", "of GEMM"];
  const table = rows.map((row) => [
    ...[row.shape, String(row.layers), String(row.tokens), mebibytes(row.diskBytes), mebibytes(row.peakBytes)],
    ...[mebibytes(row.plannedBytes), row.secondsPerStep.toFixed(2), row.gigaflops.toFixed(0)],
    `${(100 * row.gemmFraction).toFixed(0)} %`,
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...table.map((row) => (row[i] as string).length)));
  return [
    ...[head, ...table].map((row) => row.map((cell, i) => cell.padStart(widths[i] as number)).join("  ")),
    `4-bit base, rank ${RANK} on all linear layers, ${ROWS} rows, ${threads} threads; ${steps} steps, the first not counted; peak: resident memory with the mapped files`,
  ];
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
