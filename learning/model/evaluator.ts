import { type InferenceSession, Tensor } from "onnxruntime-node";
import { PermanentError } from "../../protocol/errors.ts";
import { builtAnew, type Graphs } from "../graph/graphs.ts";
import { Graph } from "../graph/ir.ts";
import { loadedGraphs } from "../graph/loadedGraphs.ts";
import { crossEntropy } from "../graph/rules/crossEntropy.ts";
import { mul } from "../graph/rules/mul.ts";
import { reduceSum } from "../graph/rules/reduceSum.ts";
import { reshape } from "../graph/rules/reshape.ts";
import { serialize } from "../graph/serialize.ts";
import { type Computing, openSession } from "../graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "./adapter.ts";
import { type Batch, bucketFor, packBatch, type Sequence } from "./batches.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { ModelConfig } from "./config.ts";
import { llama } from "./llama.ts";
import { adapterParameters, baseFacts } from "./parameters.ts";

/** Judges a base under any adapter. `flat` holds the factors B in the order of `adapterLayout`. */
export type Evaluator = {
  /** Mean loss of each example's completion, in nats a token, in the order of the examples. */
  losses(flat: Float32Array, examples: readonly Sequence[]): Promise<Float64Array>;
  /** Whether the likeliest token is the right one at every place of the completion; the same as greedy generation of it. */
  exactMatch(flat: Float32Array, examples: readonly Sequence[]): Promise<boolean[]>;
  close(): Promise<void>;
};

/** Positions a run: enough to keep the processor busy, few enough to stay small. A longer example is a run of its own. */
export const POSITIONS = 2048;
export const fullRows = (length: number): number => Math.max(1, Math.floor(POSITIONS / length));

/** How batches of one shape are judged. Gives each example's loss and the likeliest next token of each position. */
export type Judge = (
  flat: Float32Array,
  shape: { rows: number; length: number },
  batches: readonly Batch[],
) => Promise<{ losses: Float32Array; likeliest: Int32Array }[]>;

/** `loaded`: how many graphs stay loaded, each with its own copy of the weights; 4 by default. */
export type EvaluatorOptions = Computing & { graphs?: Graphs | undefined; loaded?: number | undefined };

/** Opens a base for judging. Graphs are made when a length is first met. */
export async function openEvaluator(
  checkpoint: Checkpoint,
  spec: AdapterSpec,
  { graphs = builtAnew, loaded = 4, ...options }: EvaluatorOptions,
): Promise<Evaluator> {
  const { config, folder } = checkpoint;
  const size = adapterSize(adapterLayout(config, spec));
  const sessions = loadedGraphs(loaded);

  const about = baseFacts(checkpoint, spec);
  const open = async (rows: number, length: number): Promise<InferenceSession> => {
    const build = () => forwardGraph(checkpoint, spec, rows, length);
    return openSession(await graphs([about, { graph: "forward", rows, length }], build), { ...options, folder });
  };

  const judge: Judge = async (flat, { rows, length }, batches) => {
    const session = await sessions.get(`${rows} ${length}`, () => open(rows, length));
    const judged = [];
    for (const { tokens, labels, weights } of batches) {
      const results = await session.run({
        tokens: new Tensor("int32", tokens, [rows * length]),
        labels: new Tensor("int32", labels, [rows * length]),
        weights: new Tensor("float32", weights, [rows * length]),
        adapter: new Tensor("float32", flat, [size]),
      });
      const [losses, likeliest] = session.outputNames.map((name) => results[name]?.data);
      judged.push({ losses: losses as Float32Array, likeliest: likeliest as Int32Array });
    }
    return judged;
  };

  return evaluatorOf({ config, size }, judge, () => sessions.close());
}

/** An evaluator of an adapter of `size` numbers, by any way of judging batches, `together` of them in one go. */
export function evaluatorOf(
  { config, size, together = 32 }: { config: ModelConfig; size: number; together?: number },
  judge: Judge,
  close: () => Promise<void>,
): Evaluator {
  /** Calls `visit` with every example's index and row of a batch, examples of like length together. */
  const each = async (
    flat: Float32Array,
    examples: readonly Sequence[],
    visit: (index: number, row: number, length: number, results: Awaited<ReturnType<Judge>>[number]) => void,
  ): Promise<void> => {
    if (flat.length !== size) {
      throw new PermanentError(`An adapter of ${flat.length} numbers was given where ${size} are expected.`);
    }
    const byLength = Map.groupBy(examples.keys(), (i) => bucketFor(examples[i] as Sequence, config));
    for (const [length, indices] of byLength) {
      const chunks = chunked(indices, fullRows(length));
      const byRows = Map.groupBy(chunks, (chunk) => rowsFor(chunk.length, length));
      for (const [rows, alike] of byRows) {
        for (const some of chunked(alike, together)) {
          const sequences = some.map((chunk) => chunk.map((i) => examples[i] as Sequence));
          const batches = sequences.map((chunk) => packBatch(chunk, { rows, length, mean: "example" }));
          const judged = await judge(flat, { rows, length }, batches);
          for (const [b, chunk] of some.entries()) {
            for (const [row, index] of chunk.entries()) visit(index, row, length, judged[b] as (typeof judged)[number]);
          }
        }
      }
    }
  };

  return {
    async losses(flat, examples) {
      const losses = new Float64Array(examples.length);
      await each(flat, examples, (index, row, _, results) => {
        losses[index] = results.losses[row] as number;
      });
      return losses;
    },

    async exactMatch(flat, examples) {
      const matches: boolean[] = new Array(examples.length).fill(false);
      await each(flat, examples, (index, row, length, { likeliest }) => {
        const { tokens, promptLength } = examples[index] as Sequence;
        const said = likeliest.subarray(row * length + promptLength - 1, row * length + tokens.length - 1);
        matches[index] = said.every((token, i) => token === tokens[promptLength + i]);
      });
      return matches;
    },

    close,
  };
}

function chunked<T>(all: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, i) => all.slice(i * most, (i + 1) * most));
}

/** One, an eighth or all of the rows that fit: few graphs, little padding. */
function rowsFor(count: number, length: number): number {
  const full = fullRows(length);
  return [1, full / 8, full].find((rows) => Number.isInteger(rows) && rows >= count) ?? full;
}

/** losses [rows] and the likeliest next tokens [rows * length] of a batch. */
export function forwardGraph(checkpoint: Checkpoint, spec: AdapterSpec, rows: number, length: number): Uint8Array {
  const { graph, outputs } = judgingGraph(checkpoint, spec, rows, length);
  return serialize(graph, outputs);
}

/** `forwardGraph` before it is serialised. */
export function judgingGraph(checkpoint: Checkpoint, spec: AdapterSpec, rows: number, length: number) {
  const graph = new Graph();
  const positions = [rows * length];
  const tokens = graph.input("tokens", "int32", positions);
  const labels = graph.input("labels", "int32", positions);
  const weights = graph.input("weights", "float32", positions);
  const flat = graph.input("adapter", "float32", [adapterSize(adapterLayout(checkpoint.config, spec))]);

  const parameters = adapterParameters(graph, checkpoint, spec, flat);
  const logits = llama(graph, checkpoint.config, { batch: rows, length, tokens }, parameters);
  const weighted = reshape(graph, mul(graph, crossEntropy(graph, logits, labels), weights), [rows, length]);
  const losses = reshape(graph, reduceSum(graph, weighted, [1]), [rows]);
  const argMax = graph.emit("ArgMax", [logits], {
    dtype: "int64",
    shape: positions,
    attributes: { axis: 1, keepdims: 0 },
  });
  const likeliest = graph.emit("Cast", [argMax], {
    dtype: "int32",
    shape: positions,
    attributes: { to: { dtype: "int32" } },
  });
  return { graph, outputs: [losses, likeliest] };
}
