import type { Hex } from "viem";
import { z } from "zod";

/**
 * What a worker and its compute process say to each other, as JSON over Node's IPC channel. Only paths, digests and
 * numbers cross; weights and examples stay in files. Whatever speaks this protocol may be named as `compute.program`.
 *
 * The worker sends `Order`s, one at a time; the compute process answers each with any number of `engine` and `progress`
 * messages and one `done` or `failed`. It says `beat` now and then while it lives, and ends when the channel closes.
 */

const path = z.string().min(1);
const sha256 = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((value) => value as Hex);
const bytes20 = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .transform((value) => value as Hex);

/** The recipe and the machine, the same in every request. */
const common = {
  manifest: path, // file
  model: path, // folder of the base model
  device: z.enum(["cpu", "cuda"]),
  gpu: z.array(z.int().min(0)).min(1).optional(), // numbers of GPUs, the first free one of which is taken; 0 where none is named
  threads: z.int().min(1),
  spinning: z.boolean().optional(), // whether waiting threads keep their cores; they sleep by default
  weights: z.enum(["packed", "mapped"]).optional(), // where those of a base lie that is whole in memory; packed by default
  graphs: path.optional(), // folder of graphs that were made before
  memory: z.int().min(1).optional(), // MiB that it may use; what the machine or its container has, if that is less
};

/** What computed, with which version of the runtime, by the report's names; see `DeviceReport`. */
export const engineSchema = z.record(z.string(), z.union([z.string(), z.number()]));

/** Apply accepted updates to a head and write the head that follows. No base: the all-zero first head. */
export const aggregateRequest = z.strictObject({
  kind: z.literal("aggregate"),
  ...common,
  base: path.nullable(),
  updates: z.array(z.strictObject({ file: path, factor: z.string().regex(/^[0-9]+$/) })),
  published: z.int().min(0),
  out: path,
});
export const aggregateResult = z.strictObject({ digest: bytes20 });

/** Train from a head on own examples and write the update as an artifact. */
export const trainRequest = z.strictObject({
  kind: z.literal("train"),
  ...common,
  head: path,
  data: path, // folder of JSONL files, one a domain
  training: z.strictObject({
    steps: z.int().min(1),
    batch: z.int().min(1), // examples a batch
    accumulate: z.int().min(1), // batches a step, whose gradients are summed
    packing: z.boolean(), // whether the examples of a batch share rows
    learningRate: z.number().positive(),
    warmup: z.int().min(0), // steps over which the rate rises
    decay: z.enum(["constant", "cosine"]), // of the rate afterwards
    weightDecay: z.number().min(0),
    clipNorm: z.number().positive().optional(), // longest gradient
    every: z.int().min(1), // steps between two saved states and two looks at what is held out
    heldOut: z.int().min(0), // examples of each domain that are not trained on
    patience: z.int().min(1), // looks in a row that find nothing better and end the training
  }),
  seed: z.string().min(1),
  rest: z.strictObject({ from: path.nullable(), to: path }).optional(), // what rounding took from an earlier update, and takes from this one
  curve: path.optional(), // file for a plot of the losses
  out: path,
});
export const trainResult = z.strictObject({
  sha256, // of the file
  norm: z.number(), // Frobenius norm of scale * B * A over all modules, after clipping
  losses: z.strictObject({ first: z.number(), last: z.number() }), // nats a token
  steps: z.int().min(1), // that were trained
  heldOut: z.number().nullable(), // lowest loss of what is held out, nats a token
  graph: z.string(), // sha256 of the training graph
  engine: engineSchema,
});

/** Measure every published proposal of a round against the head and write the validation report. */
export const validateRequest = z.strictObject({
  kind: z.literal("validate"),
  ...common,
  head: path,
  publicData: path, // folder that holds the manifest's public sets
  privateData: path.nullable(),
  seed: z.string().min(1), // the round's
  salt: z.string().min(1), // hides the examples' ids in the report
  proposals: z.array(
    z.strictObject({
      slot: z.int().min(0).max(15),
      file: path.nullable(), // none: missing
      digest: sha256, // what the file must have: a copy that was damaged later says nothing of its author
    }),
  ),
  out: path,
});
export const validateResult = z.strictObject({
  sha256, // of the report
  head: bytes20,
  scores: z.array(z.int().min(-32_768).max(32_767)), // by slot
});

export const requestSchema = z.discriminatedUnion("kind", [aggregateRequest, trainRequest, validateRequest]);
export type ComputeRequest = z.infer<typeof requestSchema>;

export const resultSchemas = { aggregate: aggregateResult, train: trainResult, validate: validateResult };
export type ComputeKind = keyof typeof resultSchemas;
export type RequestOf<K extends ComputeKind> = Extract<ComputeRequest, { kind: K }>;
export type ResultOf<K extends ComputeKind> = z.infer<(typeof resultSchemas)[K]>;

/** From the worker to the compute process. */
export const orderSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("run"), id: z.int(), request: requestSchema }),
  z.strictObject({ type: z.literal("cancel"), id: z.int() }),
]);
export type Order = z.infer<typeof orderSchema>;

/** From the compute process to the worker. */
export const answerSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("beat"), memory: z.int().min(0) }), // resident bytes
  z.strictObject({ type: z.literal("engine"), id: z.int(), engine: engineSchema }), // what the work is done on
  z.strictObject({ type: z.literal("progress"), id: z.int(), done: z.number(), total: z.number() }),
  z.strictObject({ type: z.literal("done"), id: z.int(), result: z.unknown() }),
  z.strictObject({
    type: z.literal("failed"),
    id: z.int(),
    permanent: z.boolean(), // doing it again gives the same error
    message: z.string().max(4096),
  }),
]);
export type Answer = z.infer<typeof answerSchema>;
