import { resolve } from "node:path";
import { Command } from "commander";
import { sizeOf } from "../../learning/graph/shapes.ts";
import type { Checkpoint } from "../../learning/model/checkpoint.ts";
import { linearNames, weightShapes } from "../../learning/model/weights.ts";
import { interruption } from "./interruption.ts";
import { usage } from "./options.ts";
import type { Perplexity } from "./perplexity.ts";
import { type ProgressBar, progressBar } from "./progress.ts";
import { type JsonValue, showReport, type Terminal } from "./report.ts";

type QuantizeOptions = { model: string; out: string; text?: string; windows: string; threads: string; json?: boolean };

/** `flockctl quantize`: a base whose linear layers take 4.5 bits a weight. */
export function quantizeCommand(terminal: Terminal): Command {
  return new Command("quantize")
    .description("write a base model once more with its linear layers in 4 bits; goes on where it was interrupted")
    .requiredOption("--model <folder>", "Hugging Face folder of the base model")
    .requiredOption("--out <folder>", "folder to write to")
    .option("--text <file>", "measures how well both models foretell this text: plain, or .jsonl as for training")
    .option("--windows <number>", "pieces of the text that are measured, of 256 tokens at most", "64")
    .option("--threads <number>", "threads of the measuring", "1")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExample:\n  flockctl quantize --model ~/models/Qwen2.5-7B --out ~/models/Qwen2.5-7B-4bit --text book.txt",
    )
    .action(async (options: QuantizeOptions) => {
      const number = (name: "windows" | "threads", most: number): number => {
        const value = Number(options[name]);
        if (Number.isInteger(value) && value >= 1 && value <= most) return value;
        throw usage(`--${name} must be a whole number from 1 to ${most}, but is "${options[name]}".`);
      };
      const [windows, threads] = [number("windows", 65_536), number("threads", 1024)];
      const [model, out] = [resolve(options.model), resolve(options.out)];
      using stop = interruption();
      // Only here: tokenizers and the runtime are large.
      const { openCheckpoint } = await import("../../learning/model/checkpoint.ts");
      const { quantiseFolder } = await import("./quantisedFolder.ts");
      const measuring = options.text === undefined ? undefined : await import("./perplexity.ts");
      // First, so that a text which cannot be used is refused before the work.
      const text = await measuring?.windowsOf(...[options.text as string, model], await openCheckpoint(model), windows);

      let bar: ProgressBar | undefined;
      const onProgress = (done: number, total: number) => {
        bar ??= progressBar(terminal, "Quantizing", total);
        bar.update(done);
      };
      const { source, made, loss } = await quantiseFolder({ model, out, signal: stop.signal, onProgress }).finally(() =>
        bar?.[Symbol.dispose](),
      );
      const relativeError = loss.energy === 0 ? 0 : Math.sqrt(loss.error / loss.energy);
      const rows = sizesOf(source, made);

      let measured: { before: Perplexity; after: Perplexity } | undefined;
      if (measuring !== undefined && text !== undefined) {
        terminal.tell(`Measuring ${text.length} windows of text by both models.\n`);
        const how = { threads, signal: stop.signal };
        const before = await measuring.perplexityOf(source, text, how);
        measured = { before, after: await measuring.perplexityOf(made, text, how) };
      }
      showReport(terminal, reportOf({ out, made, rows, relativeError, measured }), options);
    });
}

type Sizes = { part: string; weights: number; before: number; after: number };

/** Numbers and bytes of the linear layers, of the rest, and of all. */
function sizesOf(source: Checkpoint, made: Checkpoint): [linear: Sizes, rest: Sizes, all: Sizes] {
  const linear = new Set(linearNames(source.config));
  const shapes = new Map(weightShapes(source.config).map(({ name, shape }) => [name, sizeOf(shape)]));
  const of = (part: string, isIn: (name: string) => boolean): Sizes => {
    const names = [...shapes.keys()].filter(isIn);
    const bytesIn = ({ weights }: Checkpoint) =>
      names.reduce((sum, name) => sum + (weights.get(name)?.bytes ?? 0) + (weights.get(name)?.scales?.bytes ?? 0), 0);
    const weights = names.reduce((sum, name) => sum + (shapes.get(name) as number), 0);
    return { part, weights, before: bytesIn(source), after: bytesIn(made) };
  };
  return [
    of("linear layers", (name) => linear.has(name)),
    of("rest", (name) => !linear.has(name)),
    of("all", () => true),
  ];
}

type Outcome = {
  out: string;
  made: Checkpoint;
  rows: ReturnType<typeof sizesOf>;
  relativeError: number;
  measured: { before: Perplexity; after: Perplexity } | undefined;
};

function reportOf({ out, made, rows, relativeError, measured }: Outcome) {
  const bits = ({ weights, after }: Sizes) => (8 * after) / weights;
  const [, , all] = rows;
  const difference = measured && measured.after.loss - measured.before.loss;
  const json: JsonValue = {
    ...{ out, files: made.files, weights: all.weights, bytesBefore: all.before, bytesAfter: all.after },
    ...{ bitsPerWeight: bits(all), bitsPerLinearWeight: bits(rows[0]), relativeError },
    text: measured === undefined ? null : { ...measured, difference: difference as number },
  };
  const said = ({ loss, perplexity }: Perplexity) =>
    `${loss.toFixed(4)} nats a token, perplexity ${perplexity.toFixed(3)}`;
  return {
    json,
    fields: [
      ["written to", out],
      ["error", `${(100 * relativeError).toFixed(2)} % of the linear layers' numbers (root of the mean square)`],
      ...(measured === undefined
        ? []
        : [
            ["text before", said(measured.before)],
            ["text after", said(measured.after)],
            ["difference", `${(difference as number).toFixed(4)} nats a token`],
          ]),
    ] as [string, string][],
    table: {
      head: ["part", "weights", "bytes before", "bytes after", "bits a weight"],
      rows: rows.map((row) => [
        ...[row.part, String(row.weights), String(row.before), String(row.after), bits(row).toFixed(2)],
      ]),
    },
  };
}
