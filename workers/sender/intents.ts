import { type Address, getAddress, type Hex, isAddress } from "viem";
import { z } from "zod";
import { PermanentError } from "../../protocol/errors.ts";
import { type Terms, termsSchema, termsToJson } from "../../protocol/terms.ts";
import { BPS, type Role } from "../../protocol/words.ts";
import type { JsonObject } from "../queue/types.ts";

/**
 * What an operator wants to be true on the chain. Sending the same intent twice has one effect. Acts of a round name it, so that
 * one that comes late cannot act in the next. Acts that the chain cannot tell apart carry an `id`: the same id is one effect.
 */
export type Intent =
  /** `round` is the one to open: the last one's number and one. */
  | { kind: "openRound"; task: bigint; round: number }
  | { kind: "latchSeed"; task: bigint; round: number }
  | { kind: "commitProposal"; task: bigint; round: number; artifact: Hex }
  | { kind: "publishProposal"; task: bigint; round: number; artifact: Hex }
  /** `report` is the sha256 of the validation report, from whose result scores and head are read. */
  | { kind: "commitBallot"; task: bigint; round: number; report: Hex }
  | { kind: "revealBallot"; task: bigint; round: number }
  | { kind: "accuseAbsence"; task: bigint; round: number; absent: Address }
  | { kind: "settle"; task: bigint; round: number }
  | { kind: "announce"; endpoint: string }
  /** What `owner` has with `operator`: its own stake if they are the same, else what it delegated. */
  | { kind: "withdraw"; task: bigint; operator: Address; owner: Address }
  | { kind: "claim"; task: bigint; operator: Address; owner: Address }
  | { kind: "acceptDelegation"; task: bigint; commissionBps: number }
  | { kind: "setSigner"; task: bigint; signer: Address }
  | { kind: "revokeSigner"; task: bigint }
  | { kind: "announceClose"; task: bigint }
  | { kind: "close"; task: bigint }
  | { kind: "sweepBurn" }
  /** Lets the vault take tokens; staking and funding see to it themselves. */
  | { kind: "allow"; id: string; amount: bigint }
  | { kind: "stake"; id: string; task: bigint; role: Role; amount: bigint }
  | { kind: "delegate"; id: string; task: bigint; operator: Address; amount: bigint }
  | { kind: "requestExit"; id: string; task: bigint; operator: Address; amount: bigint }
  | { kind: "fund"; id: string; task: bigint; amount: bigint }
  | { kind: "createTask"; id: string; terms: Terms; manifest: Hex };

export type IntentKind = Intent["kind"];

const digest = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value), "not a digest");
const integer = z
  .string()
  .regex(/^[0-9]{1,30}$/)
  .transform(BigInt);
const round = z.int().positive();
const address = z
  .custom<string>((value) => typeof value === "string" && isAddress(value, { strict: false }), "not an address")
  .transform((value): Address => getAddress(value.toLowerCase()));
const id = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);

const ofRound = { task: integer, round };
const intentSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("openRound"), ...ofRound }),
  z.strictObject({ kind: z.literal("latchSeed"), ...ofRound }),
  z.strictObject({ kind: z.literal("commitProposal"), ...ofRound, artifact: digest }),
  z.strictObject({ kind: z.literal("publishProposal"), ...ofRound, artifact: digest }),
  z.strictObject({ kind: z.literal("commitBallot"), ...ofRound, report: digest }),
  z.strictObject({ kind: z.literal("revealBallot"), ...ofRound }),
  z.strictObject({ kind: z.literal("accuseAbsence"), ...ofRound, absent: address }),
  z.strictObject({ kind: z.literal("settle"), ...ofRound }),
  z.strictObject({ kind: z.literal("announce"), endpoint: z.string() }),
  z.strictObject({ kind: z.literal("withdraw"), task: integer, operator: address, owner: address }),
  z.strictObject({ kind: z.literal("claim"), task: integer, operator: address, owner: address }),
  z.strictObject({ kind: z.literal("acceptDelegation"), task: integer, commissionBps: z.int().min(0).max(BPS) }),
  z.strictObject({ kind: z.literal("setSigner"), task: integer, signer: address }),
  z.strictObject({ kind: z.literal("revokeSigner"), task: integer }),
  z.strictObject({ kind: z.literal("announceClose"), task: integer }),
  z.strictObject({ kind: z.literal("close"), task: integer }),
  z.strictObject({ kind: z.literal("sweepBurn") }),
  z.strictObject({ kind: z.literal("allow"), id, amount: integer }),
  z.strictObject({ kind: z.literal("stake"), id, task: integer, role: z.literal([0, 1, 2]), amount: integer }),
  z.strictObject({ kind: z.literal("delegate"), id, task: integer, operator: address, amount: integer }),
  z.strictObject({ kind: z.literal("requestExit"), id, task: integer, operator: address, amount: integer }),
  z.strictObject({ kind: z.literal("fund"), id, task: integer, amount: integer }),
  z.strictObject({ kind: z.literal("createTask"), id, terms: termsSchema, manifest: digest }),
]);

/** An intent as a job's payload or as a row of the outbox: whole numbers of any size as decimal strings. */
export function intentToJson(intent: Intent): JsonObject {
  if (intent.kind === "createTask") return { ...intent, terms: termsToJson(intent.terms) };
  return Object.fromEntries(
    Object.entries(intent).map(([name, value]) => [name, typeof value === "bigint" ? String(value) : value]),
  );
}

/** @throws PermanentError if the value is not an intent. */
export function intentFromJson(json: unknown): Intent {
  const parsed = intentSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`);
  throw new PermanentError(`This is not an intent: ${wrong.join("; ")}.`);
}

/** The name of the one effect that an intent wants, the same on every start. */
export function intentId(intent: Intent): string {
  const short = (hex: Hex) => hex.slice(2, 18);
  switch (intent.kind) {
    case "openRound":
    case "latchSeed":
    case "revealBallot":
    case "settle":
      return `${intent.kind}-${intent.task}-${intent.round}`;
    case "commitProposal":
    case "publishProposal":
      return `${intent.kind}-${intent.task}-${intent.round}-${short(intent.artifact)}`;
    case "commitBallot":
      return `${intent.kind}-${intent.task}-${intent.round}-${short(intent.report)}`;
    case "accuseAbsence":
      return `${intent.kind}-${intent.task}-${intent.round}-${short(intent.absent)}`;
    case "withdraw":
    case "claim":
      return `${intent.kind}-${intent.task}-${short(intent.operator)}-${short(intent.owner)}`;
    case "acceptDelegation":
      return `${intent.kind}-${intent.task}-${intent.commissionBps}`;
    case "setSigner":
      return `${intent.kind}-${intent.task}-${short(intent.signer)}`;
    case "revokeSigner":
    case "announceClose":
    case "close":
      return `${intent.kind}-${intent.task}`;
    case "sweepBurn":
      return intent.kind;
    case "announce":
      return `${intent.kind}-${intent.endpoint}`;
    default:
      return `${intent.kind}-${intent.id}`;
  }
}
