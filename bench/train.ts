import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureGemmRate } from "../learning/graph/gemmRate.ts";
import { openCheckpoint } from "../learning/model/checkpoint.ts";
import { TARGETS } from "../learning/model/weights.ts";
import { planTraining } from "../learning/train/plan.ts";
import type { OptionValues, Report } from "../tools/bench.ts";
import { writeRandomCheckpoint } from "./support/randomCheckpoint.ts";
import { median, usage, wholeOption } from "./support/settings.ts";
import { findTorch, type Run, type Torch, trainHere, trainWithTorch } from "./support/trainers.ts";

export const options = { shape: { type: "string" }, rounds: { type: "string" }, threads: { type: "string" } } as const;

type Shape = {
  hidden: number;
  layers: number;
  heads: number;
  feedForward: number;
  vocabulary: number;
  batch: number;
  target: number;
};

/** Sizes by name, and how many times as fast as PyTorch they should be. */
const SHAPES: Readonly<Record<string, Shape>> = {
  "d256-L4": { hidden: 256, layers: 4, heads: 8, feedForward: 704, vocabulary: 4096, batch: 8, target: 1.8 },
  "d512-L8": { hidden: 512, layers: 8, heads: 8, feedForward: 1408, vocabulary: 4096, batch: 8, target: 1.4 },
  "125M": { hidden: 768, layers: 12, heads: 12, feedForward: 2048, vocabulary: 32_000, batch: 4, target: 1.2 },
};
const LENGTH = 128;
const RANK = 8;
/** Of each trainer in a round; the first `WARM` are not counted. */
const STEPS = 8;
const WARM = 4;

type Row = {
  tokensPerSecond: number;
  torchTokensPerSecond: number | null;
  ratio: number | null;
  gigaflops: number;
  gemmFraction: number;
  gemmSpread: number;
  peakBytes: number;
  plannedBytes: number;
  torchPeakBytes: number | null;
};

/**
 * Speed and memory of training an adapter, beside PyTorch's and the rate of matrix products, taken in turns so that whatever
 * else the machine does falls on all alike.
 */
export default async function trainBench(given: OptionValues): Promise<Report> {
  const names = given.shape === undefined ? Object.keys(SHAPES) : [String(given.shape)];
  const rounds = wholeOption(given, "rounds", 3, 1, 100);
  const threads = wholeOption(given, "threads", 2, 1, 256);
  const torch = await findTorch(threads);
  const rows: Record<string, Row> = {};
  for (const name of names) {
    const shape = SHAPES[name];
    if (shape === undefined) throw usage(`There is no shape "${name}"; there are ${Object.keys(SHAPES).join(", ")}.`);
    rows[name] = await measure(shape, { rounds, threads, torch });
  }
  return { lines: linesOf(rows, threads, torch), json: { threads, torch: torch?.version ?? null, shapes: rows } };
}

async function measure(
  shape: Shape,
  { rounds, threads, torch }: { rounds: number; threads: number; torch: Torch | undefined },
): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), "flock-bench-"));
  try {
    await writeRandomCheckpoint(folder, { ...shape, positions: LENGTH });
    const task = { folder, batch: shape.batch, length: LENGTH, rank: RANK, steps: STEPS, warm: WARM, threads };
    const ours: Run[] = [];
    const theirs: Run[] = [];
    const rates: number[] = [];
    const rate = async () => rates.push(await measureGemmRate({ device: "cpu", threads }));
    for (let round = 0; round < rounds; round++) {
      await rate();
      ours.push(await trainHere(task));
      await rate();
      if (torch !== undefined) theirs.push(await trainWithTorch(torch, task));
    }
    const checkpoint = await openCheckpoint(folder);
    const spec = { rank: RANK, alpha: 2 * RANK, targets: TARGETS, seed: "bench" };
    const plan = planTraining(checkpoint, { spec, batch: shape.batch, length: LENGTH, accumulate: 1 });
    const seconds = median(ours.map((run) => run.secondsPerStep));
    const torchSeconds = theirs.length === 0 ? null : median(theirs.map((run) => run.secondsPerStep));
    const tokens = shape.batch * LENGTH;
    const gemm = median(rates);
    return {
      tokensPerSecond: tokens / seconds,
      torchTokensPerSecond: torchSeconds === null ? null : tokens / torchSeconds,
      ratio: torchSeconds === null ? null : torchSeconds / seconds,
      gigaflops: plan.flops / seconds / 1e9,
      gemmFraction: plan.flops / seconds / gemm,
      gemmSpread: (Math.max(...rates) - Math.min(...rates)) / gemm,
      peakBytes: Math.max(...ours.map((run) => run.peakBytes)),
      plannedBytes: plan.memory.total,
      torchPeakBytes: theirs.length === 0 ? null : Math.max(...theirs.map((run) => run.peakBytes)),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function linesOf(rows: Readonly<Record<string, Row>>, threads: number, torch: Torch | undefined): string[] {
  const table = Object.entries(rows).map(([name, row]) => [
    name,
    row.tokensPerSecond.toFixed(0),
    row.torchTokensPerSecond?.toFixed(0) ?? "-",
    row.ratio === null ? "-" : `${row.ratio.toFixed(2)} (${SHAPES[name]?.target})`,
    row.gigaflops.toFixed(0),
    `${(100 * row.gemmFraction).toFixed(0)} % (+-${(50 * row.gemmSpread).toFixed(0)})`,
    mebibytes(row.peakBytes),
    row.torchPeakBytes === null ? "-" : mebibytes(row.torchPeakBytes),
    mebibytes(row.plannedBytes),
  ]);
  const head = ["shape", "tokens/s", "torch", "ratio", "GFLOP/s", "of GEMM", "MiB", "torch", "planned"];
  const widths = head.map((title, i) => Math.max(title.length, ...table.map((row) => (row[i] as string).length)));
  return [
    ...[head, ...table].map((row) => row.map((cell, i) => cell.padStart(widths[i] as number)).join("  ")),
    `${threads} threads, which keep their cores while they wait (compute.spinning), as PyTorch's do; medians of ${STEPS} steps after ${WARM}, in turns; ratio in brackets: the target; GEMM: the rate of matrix products in the same run, with its spread`,
    torch === undefined
      ? "PyTorch is missing (Debian: python3-torch, libopenblas0-openmp), so there is nothing to compare with"
      : `PyTorch ${torch.version}, the same model, adapter and batch`,
  ];
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
