import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sizeOf } from "../learning/graph/shapes.ts";
import { parseConfig } from "../learning/model/config.ts";
import { weightShapes } from "../learning/model/weights.ts";
import type { OptionValues, Report } from "../tools/bench.ts";
import { comparePass, type PassTask, STAGES, type Stage, type StageRun } from "./support/passStages.ts";
import { usage, wholeOption } from "./support/settings.ts";

export const options = {
  ...{ layers: { type: "string" }, steps: { type: "string" }, tokens: { type: "string" }, threads: { type: "string" } },
} as const;

/** Qwen2.5 3B's shape, of which all 36 layers have 3.09 billion weights. */
const SHAPE = {
  ...{ model_type: "qwen2", hidden_size: 2048, num_attention_heads: 16, num_key_value_heads: 2 },
  ...{ intermediate_size: 11_008, vocab_size: 151_936, tie_word_embeddings: true, rms_norm_eps: 1e-6 },
  ...{ max_position_embeddings: 1024, rope_theta: 1e6 },
};
const DEPTHS = [12, 36];

type Row = {
  layers: number;
  parameters: number;
  sourceBytes: number;
  baseBytes: number;
  stages: Record<Stage, StageRun>;
  /** Largest difference of an example's loss between base with factors and the merged model, in nats a token. */
  difference: number;
};

const run = promisify(execFile);
const program = fileURLToPath(new URL("support/passProgram.ts", import.meta.url));

/**
 * A whole pass over a generated bfloat16 checkpoint, each stage in a process of its own: quantise, train, export (PEFT and merged), judge both. At two depths, to
 * show that memory does not follow the depth.
 */
export default async function passBench(given: OptionValues): Promise<Report> {
  const steps = wholeOption(given, "steps", 2, 1, 1000);
  const length = wholeOption(given, "tokens", 64, 16, 1024);
  const threads = wholeOption(given, "threads", 2, 1, 256);
  const depths = given.layers === undefined ? DEPTHS : [wholeOption(given, "layers", 36, 1, 256)];
  const rows: Row[] = [];
  for (const layers of depths) rows.push(await pass(layers, { steps, length, threads }));
  return { lines: linesOf(rows, { steps, length, threads }), json: { steps, tokens: 2 * length, threads, rows } };
}

type How = Pick<PassTask, "steps" | "length" | "threads">;

async function pass(layers: number, how: How): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), "flock-bench-"));
  try {
    const hfConfig = { ...SHAPE, num_hidden_layers: layers };
    const shapes = weightShapes(parseConfig(JSON.stringify(hfConfig)));
    const parameters = shapes.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    await requireDisk(folder, 5 * parameters); // 2 bytes as generated and as merged, less than one in 4 bits
    await mkdir(join(folder, "source"));
    const stages: Partial<Record<Stage, StageRun>> = {};
    for (const stage of STAGES) {
      const { stdout } = await run(process.execPath, [program, JSON.stringify({ stage, folder, hfConfig, ...how })]);
      stages[stage] = JSON.parse(stdout) as StageRun;
    }
    const [sourceBytes, baseBytes] = [await bytesIn(join(folder, "source")), await bytesIn(join(folder, "base"))];
    const all = stages as Record<Stage, StageRun>;
    return { layers, parameters, sourceBytes, baseBytes, stages: all, difference: comparePass(all) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws FlockError (usage) if the models would not fit onto the disk. */
async function requireDisk(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (needed < bavail * bsize) return;
  throw usage(`The models take ${mebibytes(needed)} MiB in ${folder}, which has ${mebibytes(bavail * bsize)}.`);
}

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function linesOf(rows: readonly Row[], { steps, length, threads }: How): string[] {
  const head = ["layers", "weights", "on disk", "4-bit", ...STAGES.slice(1)];
  const table = rows.map(({ layers, parameters, sourceBytes, baseBytes, stages }) => [
    ...[String(layers), `${(parameters / 1e9).toFixed(2)} bn`, mebibytes(sourceBytes), mebibytes(baseBytes)],
    ...STAGES.slice(1).map((stage) => `${mebibytes(stages[stage].peakBytes)} / ${stages[stage].seconds.toFixed(0)} s`),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...table.map((row) => (row[i] as string).length)));
  return [
    ...[head, ...table].map((row) => row.map((cell, i) => cell.padStart(widths[i] as number)).join("  ")),
    `sizes in MiB; of each stage the peak of resident memory, mapped files included, and its time; ${steps} training steps of 2 x ${length} tokens, 4 examples judged by base and factors and by the merged model, ${threads} threads; their losses differ by up to ${Math.max(...rows.map(({ difference }) => difference)).toExponential(1)} nats a token`,
  ];
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
