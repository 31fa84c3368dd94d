import type { Address, Hex } from "viem";
import { z } from "zod";
import { engineSchema } from "./compute/protocol.ts";
import type { Inputs } from "./results.ts";

/** Whose work it is and in which task of which chain: the facts that tell one operator's results from all others. */
export type Identity = {
  /** Hash of the chain's first block: two local chains have the same id. */
  genesis: Hex;
  rounds: Address;
  task: bigint;
  manifest: Hex;
  operator: Address;
};

/** What a round's work starts from. */
export type RoundStart = { round: number; headId: Hex };

/**
 * The inputs of a round's work. Settings and data are not among them: what was sealed once must be found again, whatever the
 * operator changed since.
 */
export function inputsOf(kind: "train" | "validate", identity: Identity, { round, headId }: RoundStart): Inputs {
  const { genesis, rounds, task, manifest, operator } = identity;
  return { kind, genesis, rounds, task: String(task), manifest, operator, round, headId };
}

const sha256 = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value));
const bytes20 = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value));

/** What is kept of a training. */
export const trainedSchema = z.object({
  artifact: sha256,
  norm: z.number(), // of scale * B * A
  losses: z.object({ first: z.number(), last: z.number() }), // nats a token
  steps: z.int(),
  heldOut: z.number().nullable(), // nats a token
  graph: z.string(),
  engine: engineSchema,
});
export type Trained = z.infer<typeof trainedSchema>;

/** What is kept of a validation: all that a ballot says. */
export const measuredSchema = z.object({
  report: sha256,
  head: bytes20, // zero: it could not be built
  scores: z.array(z.int()), // by slot
});
export type Measured = z.infer<typeof measuredSchema>;

/** The inputs under which a report's ballot is kept a second time, to be found by whoever holds only the digest. */
export function ballotInputs(report: Hex): Inputs {
  return { kind: "ballot", report };
}
