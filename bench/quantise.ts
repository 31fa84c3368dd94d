import { join } from "node:path";
import { dequantise, MAX_Q, MIN_EXPONENT, quantise } from "../learning/artifact/quantise.ts";
import { type Encoded, encode } from "../learning/data/examples.ts";
import { GENERATED_DOMAINS, generate } from "../learning/data/generator.ts";
import { type AdapterTensor, adapterLayout, adapterSize } from "../learning/model/adapter.ts";
import { openBaseModel } from "../learning/model/baseModel.ts";
import { type Evaluator, openEvaluator } from "../learning/model/evaluator.ts";
import { TARGETS } from "../learning/model/weights.ts";
import { train } from "../learning/train/trainer.ts";
import type { OptionValues, Report } from "../tools/bench.ts";
import { root } from "../tools/files.ts";
import { wholeOption } from "./support/settings.ts";

export const options = { rounds: { type: "string" }, seeds: { type: "string" }, threads: { type: "string" } } as const;

/** Sends an update through a coarser form: what arrives. */
type Form = (layout: readonly AdapterTensor[], delta: Float32Array) => Float32Array;
type Arm = { form: Form; feedback: boolean };

const int8: Form = (layout, delta) => dequantise(quantise(layout, delta));
/** The same rows and powers of two, but only -1, 0 and 1 of them: what a coarse form costs, to see that this bench would notice. */
const ternary: Form = (layout, delta) => {
  const sent = new Float32Array(delta.length);
  for (const { rows, columns, offset } of layout) {
    for (let row = 0; row < rows; row++) {
      const start = offset + row * columns;
      const largest = Math.max(...delta.subarray(start, start + columns).map(Math.abs));
      const step = 2 ** Math.max(MIN_EXPONENT, Math.ceil(Math.log2(largest)));
      for (let at = start; at < start + columns; at++) sent[at] = Math.round((delta[at] as number) / step) * step;
    }
  }
  return sent;
};

const ARMS: Readonly<Record<string, Arm>> = {
  float32: { form: (_, delta) => delta, feedback: false },
  int8: { form: int8, feedback: false },
  "int8, feedback": { form: int8, feedback: true },
  ternary: { form: ternary, feedback: false },
  "ternary, feedback": { form: ternary, feedback: true },
};

const SPEC = { rank: 32, alpha: 64, targets: TARGETS, seed: "bench quantise" };
const TRAINING = { steps: 36, batch: 32, learningRate: 1.7e-3 };
const ROWS = 512;
const HELD_OUT = 256;
const MAX_TOKENS = 16;

/**
 * Mean held-out loss after each round in nats a token; how much larger it is than with the same updates unrounded, the mean over rounds; and how much of an
 * update's length is lost on its way.
 */
type Run = { losses: number[]; rounding: number; lost: number };
type Row = { loss: number; cost: number; spread: number; rounding: number; lost: number };

/**
 * What it costs to send updates as signed bytes, and what error feedback gives back (Seide et al. 2014, Karimireddy et al. 2019): rounds of training on the tiny
 * base, one trainer a domain, all updates accepted; the same data and orders in each arm.
 */
export default async function quantiseBench(given: OptionValues): Promise<Report> {
  const rounds = wholeOption(given, "rounds", 4, 1, 100);
  const seeds = wholeOption(given, "seeds", 3, 2, 100);
  const threads = wholeOption(given, "threads", 2, 1, 256);
  const base = await openBaseModel(join(root, "models", "tiny"));
  const evaluator = await openEvaluator(base.checkpoint, SPEC, { device: "cpu", threads });
  const runs: Record<string, Run[]> = {};
  for (let seed = 0; seed < seeds; seed++) {
    const set = (split: string, domain: string, count: number) =>
      generate({ seed: `quantise ${seed}`, domain, count, split }).map((row) =>
        encode(base.tokenizer, row, MAX_TOKENS),
      );
    const data = GENERATED_DOMAINS.map((domain) => set("train", domain, ROWS));
    const heldOut = GENERATED_DOMAINS.flatMap((domain) => set("held out", domain, HELD_OUT));
    for (const [name, arm] of Object.entries(ARMS)) {
      const play = { ...arm, base, evaluator, data, heldOut, rounds, seed, threads };
      runs[name] = [...(runs[name] ?? []), await playRounds(play)];
    }
  }
  await evaluator.close();
  const rows = Object.fromEntries(Object.keys(ARMS).map((name) => [name, rowOf(runs, name)]));
  return { lines: linesOf(rows, rounds, seeds), json: { rounds, seeds, ...TRAINING, arms: rows, runs } };
}

type Play = Arm & {
  base: Awaited<ReturnType<typeof openBaseModel>>;
  evaluator: Evaluator;
  data: readonly Encoded[][];
  heldOut: readonly Encoded[];
  rounds: number;
  seed: number;
  threads: number;
};

async function playRounds(play: Play): Promise<Run> {
  const { form, feedback, base, evaluator, data, heldOut, rounds, seed, threads } = play;
  const { checkpoint } = base;
  const layout = adapterLayout(checkpoint.config, SPEC);
  const size = adapterSize(layout);
  const residuals = data.map(() => new Float32Array(size));
  const losses: number[] = [];
  let head = new Float32Array(size);
  let [rounding, lost] = [0, 0];
  const lossOf = async (adapter: Float32Array) => mean([...(await evaluator.losses(adapter, heldOut))]);
  for (let round = 0; round < rounds; round++) {
    const [next, unrounded] = [head.slice(), head.slice()];
    for (const [trainer, examples] of data.entries()) {
      const { flat } = await train({
        ...{ checkpoint, spec: SPEC, start: head, examples, ...TRAINING, device: "cpu", threads },
        seed: `${seed} ${round} ${trainer}`,
      });
      const residual = residuals[trainer] as Float32Array;
      const wanted = flat.map((value, i) => value - (head[i] as number) + (feedback ? (residual[i] as number) : 0));
      const sent = form(layout, wanted);
      for (let i = 0; i < size; i++) {
        residual[i] = (wanted[i] as number) - (sent[i] as number);
        next[i] = (next[i] as number) + (sent[i] as number) / data.length;
        unrounded[i] = (unrounded[i] as number) + (wanted[i] as number) / data.length;
      }
      lost += Math.hypot(...residual) / Math.hypot(...wanted) / (rounds * data.length);
    }
    head = next;
    losses.push(await lossOf(head));
    rounding += ((losses.at(-1) as number) - (await lossOf(unrounded))) / rounds;
  }
  return { losses, rounding, lost };
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

/** The last round's loss, and its difference from float32's of the same seed. */
function rowOf(runs: Readonly<Record<string, Run[]>>, name: string): Row {
  const own = runs[name] as Run[];
  const last = (run: Run) => run.losses.at(-1) as number;
  const differences = own.map((run, seed) => last(run) - last((runs.float32 as Run[])[seed] as Run));
  const cost = mean(differences);
  const variance = differences.reduce((sum, value) => sum + (value - cost) ** 2, 0) / (differences.length - 1);
  const [rounding, lost] = [mean(own.map((run) => run.rounding)), mean(own.map((run) => run.lost))];
  return { loss: mean(own.map(last)), cost, spread: Math.sqrt(variance / differences.length), rounding, lost };
}

function linesOf(rows: Readonly<Record<string, Row>>, rounds: number, seeds: number): string[] {
  const table = Object.entries(rows).map(([name, { loss, cost, spread, rounding, lost }]) => [
    name,
    loss.toFixed(5),
    `${signed(cost, 5)} +- ${spread.toFixed(5)}`,
    signed(rounding, 7),
    `${(100 * lost).toFixed(2)} %`,
  ]);
  const head = ["updates as", "loss", "more than float32", "by rounding alone", "lost on the way"];
  const widths = head.map((title, i) => Math.max(title.length, ...table.map((row) => (row[i] as string).length)));
  return [
    ...[head, ...table].map((row) => row.map((cell, i) => cell.padEnd(widths[i] as number)).join("  ")),
    `held-out loss in nats a token after ${rounds} rounds of ${TRAINING.steps} steps, ${seeds} seeds, with the standard error; bytes are -${MAX_Q} to ${MAX_Q}; by rounding alone: beside the same round with the same updates unrounded`,
  ];
}

function signed(value: number, digits: number): string {
  return `${value >= 0 ? "+" : ""}${value.toFixed(digits)}`;
}
