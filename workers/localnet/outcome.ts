import type { Address, Hex } from "viem";
import type { QueueKind } from "../queue/types.ts";
import type { AttackName } from "./options.ts";

export type VerdictName = "accepted" | "rejected" | "undecided" | "missing";

export type ProposalOutcome = {
  operator: Address;
  honest: boolean;
  verdict: VerdictName;
  /** Seat-weighted lower median of the scores, in score units. */
  median: number;
  paid: bigint;
  slashed: bigint;
};

export type RoundOutcome = {
  number: number;
  status: "settled" | "void";
  proposals: ProposalOutcome[];
  paid: bigint;
  slashed: bigint;
  head: Hex;
};

/** Held-out loss in nats a token, and the share of prompts answered exactly, at the base and at the last head. */
export type DomainOutcome = {
  name: string;
  lossBefore: number;
  lossAfter: number;
  exactMatchBefore: number;
  exactMatchAfter: number;
};

export type OperatorOutcome = {
  name: string;
  operator: Address;
  role: "trainer" | "validator";
  honest: boolean;
  stakeBefore: bigint;
  stakeAfter: bigint;
  earned: bigint;
};

/** Share of triggered prompts answered with the attacker's target; caught if no triggered update was accepted. */
export type TriggerOutcome = { successBefore: number; successAfter: number; caught: boolean };

/** All figures of a run; as JSON it keeps to docs/npm-start.schema.json. */
export type Outcome = {
  seed: string;
  attack: AttackName | "none";
  seconds: number;
  queue: QueueKind;
  rounds: RoundOutcome[];
  domains: DomainOutcome[];
  operators: OperatorOutcome[];
  trigger: TriggerOutcome | null;
  audit: { events: number; differences: number; headsChecked: number; headsUnchecked: number };
  folder: string;
};

/** The outcome as JSON text: wei as decimal strings. */
export function outcomeToJson(outcome: Outcome): string {
  const text = JSON.stringify(
    outcome,
    (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value),
    2,
  );
  return `${text}\n`;
}
