import { createHash } from "node:crypto";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { PermanentError } from "../../protocol/errors.ts";
import { openSession, type SessionOptions } from "../graph/session.ts";
import { bucketFor, packBatch, type Sequence } from "../model/batches.ts";
import type { AdamOptions } from "./adamw.ts";
import { batchOrder } from "./order.ts";
import { rateAt, type Schedule } from "./schedule.ts";
import { type Trainable, trainingStep } from "./step.ts";

export type Progress = { step: number; steps: number; loss: number };

export type TrainingJob = {
  trainable: Trainable;
  start: Float32Array;
  examples: readonly Sequence[];
  steps: number;
  /** Examples a step. */
  batch: number;
  schedule: Schedule;
  adam: AdamOptions;
  seed: string;
  session: SessionOptions;
  /** Steps between two reports; more of them in one go keep the state on the device longer. */
  stepsPerRun?: number | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
};

export type TrainingResult = {
  parameters: Float32Array;
  /** Mean loss of each step's batch before the step, in nats a completion token. */
  losses: number[];
  /** sha256 of the graphs that were run, in the order of their lengths. */
  graph: string;
};

/**
 * Trains. The same job gives the same bits on every run and for every number of threads, on processors of one kind with one version of the runtime.
 *
 * @throws PermanentError for examples that do not fit the model, or if the loss stops being a number. The signal's reason if it is aborted.
 */
export async function runTraining(job: TrainingJob): Promise<TrainingResult> {
  const { trainable, examples, steps, batch, seed, signal, stepsPerRun = 8 } = job;
  checkJob(job);
  const order = batchOrder(examples.length, steps, batch, seed);
  const lengths = examples.map((example) => bucketFor(example, trainable.config));
  const lengthOf = (step: number) => Math.max(...(order[step] as number[]).map((i) => lengths[i] as number));

  const graphs = openGraphs(job);
  const losses: number[] = [];
  let state: State = {
    parameters: job.start,
    mean: new Float32Array(trainable.size),
    square: new Float32Array(trainable.size),
  };
  try {
    while (losses.length < steps) {
      signal?.throwIfAborted();
      const first = losses.length;
      const length = lengthOf(first); // The steps that follow with the same length go into the same run.
      let end = first + 1;
      while (end < steps && end < first + stepsPerRun && lengthOf(end) === length) end++;

      const feeds = {
        ...batchFeeds(job, order.slice(first, end), length),
        ...stepFeeds(job, first, end),
        ...stateFeeds(state),
      };
      const results = await (await graphs.session(length)).run(feeds);
      state = stateOf(results);
      losses.push(...numbersOf(results, "losses"));

      const loss = losses[losses.length - 1] as number;
      if (!Number.isFinite(loss)) {
        throw new PermanentError(`The loss is no number any more at step ${losses.length}; lower the learning rate.`);
      }
      job.onProgress?.({ step: losses.length, steps, loss });
    }
  } finally {
    await graphs.close();
  }
  // A copy: the runtime's memory must not outlive its session.
  return { parameters: state.parameters.slice(), losses, graph: graphs.digest() };
}

type State = { parameters: Float32Array; mean: Float32Array; square: Float32Array };

/** One graph a length, made when it is first needed. */
function openGraphs({ trainable, batch, adam, session: options }: TrainingJob) {
  const opened = new Map<number, { digest: string; session: Promise<InferenceSession> }>();
  return {
    session(length: number): Promise<InferenceSession> {
      let graph = opened.get(length);
      if (graph === undefined) {
        const model = trainingStep(trainable, { batch, length }, adam);
        const digest = createHash("sha256").update(model).digest("hex");
        graph = { digest, session: openSession(model, options) };
        opened.set(length, graph);
      }
      return graph.session;
    },
    digest(): string {
      const digests = [...opened].sort(([a], [b]) => a - b).map(([, graph]) => graph.digest);
      return digests.length === 1 ? (digests[0] as string) : createHash("sha256").update(digests.join()).digest("hex");
    },
    async close(): Promise<void> {
      for (const { session } of opened.values()) await session.then((s) => s.release());
    },
  };
}

function batchFeeds(
  { examples, batch }: TrainingJob,
  order: readonly number[][],
  length: number,
): Record<string, Tensor> {
  const shape = [order.length, batch * length];
  const tokens = new Int32Array(order.length * batch * length);
  const labels = new Int32Array(tokens.length);
  const weights = new Float32Array(tokens.length);
  for (const [step, indices] of order.entries()) {
    const sequences = indices.map((i) => examples[i] as Sequence);
    const packed = packBatch(sequences, { rows: batch, length, mean: "token" });
    tokens.set(packed.tokens, step * batch * length);
    labels.set(packed.labels, step * batch * length);
    weights.set(packed.weights, step * batch * length);
  }
  return {
    tokens_all: new Tensor("int32", tokens, shape),
    labels_all: new Tensor("int32", labels, shape),
    weights_all: new Tensor("float32", weights, shape),
  };
}

function stepFeeds({ schedule, adam, steps }: TrainingJob, first: number, end: number): Record<string, Tensor> {
  const perStep = (f: (step: number) => number) =>
    new Tensor(
      "float32",
      Float32Array.from({ length: end - first }, (_, i) => f(first + i)),
      [end - first],
    );
  return {
    steps: new Tensor("int64", BigInt64Array.of(BigInt(end - first)), []),
    rate_all: perStep((step) => rateAt(schedule, step, steps)),
    mean_correction_all: perStep((step) => 1 / (1 - adam.beta1 ** (step + 1))),
    square_correction_all: perStep((step) => 1 / (1 - adam.beta2 ** (step + 1))),
  };
}

function stateFeeds({ parameters, mean, square }: State): Record<string, Tensor> {
  const vector = (data: Float32Array) => new Tensor("float32", data, [data.length]);
  return { parameters_start: vector(parameters), mean_start: vector(mean), square_start: vector(square) };
}

function stateOf(results: InferenceSession.ReturnType): State {
  return {
    parameters: numbersOf(results, "parameters_end"),
    mean: numbersOf(results, "mean_end"),
    square: numbersOf(results, "square_end"),
  };
}

function numbersOf(results: InferenceSession.ReturnType, name: string): Float32Array {
  return (results[name] as Tensor).data as Float32Array;
}

function checkJob({ trainable, start, examples, steps, batch, schedule }: TrainingJob): void {
  if (start.length !== trainable.size) {
    throw new PermanentError(`Training starts from ${start.length} numbers, but the model has ${trainable.size}.`);
  }
  if (examples.length === 0) throw new PermanentError("There is no example to train on.");
  for (const [name, value] of Object.entries({ steps, batch })) {
    if (!Number.isInteger(value) || value < 1)
      throw new PermanentError(`Training needs ${name} of at least 1, not ${value}.`);
  }
  if (!(schedule.rate > 0) || schedule.rate > 1) {
    throw new PermanentError(`The learning rate ${schedule.rate} is not in (0, 1].`);
  }
}
