import type { Address, Hex } from "viem";
import type { Deadlines } from "../../protocol/rules/phases.ts";
import type { Purse } from "../../protocol/rules/purse.ts";
import type { Account } from "../../protocol/rules/stakePool.ts";
import type { Terms } from "../../protocol/terms.ts";
import type { Phase, Role } from "../../protocol/words.ts";
import type { PublishedProposal } from "./logs.ts";
import type { Part } from "./seats.ts";

/** Everything about one task and one operator as it stood at one block. Times in seconds since 1970, amounts in wei. */
export type RoundView = Part & {
  task: bigint;
  operator: Address;
  block: { number: bigint; hash: Hex; timestamp: number };

  creator: Address;
  manifest: Hex;
  headId: Hex;
  /** Heads so far, the first one not counted. */
  heads: number;
  closed: boolean;
  /** End of the creator's notice, 0 without one. */
  closableAt: number;
  /** Whether anyone may close the task now. */
  closable: boolean;
  terms: Terms;
  purse: Purse;

  /** The open round's number, else the last one's; 0 before the first. */
  round: number;
  open: boolean;
  openedAt: number;
  /** Number of the block whose hash is the seed. */
  seedBlock: bigint;
  /** Number of the block whose hash enters the voters' seed; 0 before the first publication. */
  voterBlock: bigint;
  /** 0, 1 (the seed) or 2 (the voters' seed, too). */
  seedsLatched: number;
  seedMissed: boolean;
  /** Latched, or as it would be latched now; undefined before its block, or once it is out of reach. */
  seed: Hex | undefined;
  /** The same of the voters' seed; also undefined as long as proposals are published. */
  voterSeed: Hex | undefined;
  /** Weights of both pools in the open round. */
  trainerTotal: bigint;
  voterTotal: bigint;
  paidRounds: number;
  roundsLeft: number;
  voids: number;
  /** Whether the next round would open now, as far as the task and its pools go; a void one is settled by that. */
  openable: boolean;
  /** Whether the open round waits for its settlement and will be void. */
  isVoid: boolean;

  /** By the rules in this repository; with no round open None and 0. */
  phase: Phase;
  phaseEndsAt: number;
  deadlines: Deadlines | undefined;
  /** The same as the contract says it. */
  contractPhase: Phase;

  sealedProposals: number;
  sealedBallots: number;
  revealedBallots: number;
  /** Voters accused of absence. */
  accused: number;
  sealedSeats: number;
  revealedSeats: number;
  /** The open round's published proposals by slot; empty with no round open. */
  proposals: PublishedProposal[];

  account: Account;
  /** What the operator staked in; undefined while its account is empty. */
  pool: Role | undefined;
  /** Its weight in the open round, else in the next. */
  weight: bigint;
  proposal: OwnProposal;
  ballot: OwnBallot;
};

/** The operator's own proposal in the open round. */
export type OwnProposal =
  | { state: "none" }
  | { state: "sealed"; seats: number; commitment: Hex }
  | { state: "published"; seats: number; slot: number; artifact: Hex };

/** The operator's own ballot in the open round. */
export type OwnBallot =
  | { state: "none" }
  | { state: "sealed"; seats: number; commitment: Hex }
  | { state: "revealed"; seats: number; scores: bigint; head: Hex }
  | { state: "absent"; seats: number; accuser: Address };
