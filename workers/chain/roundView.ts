import type { Address, Hex } from "viem";
import type { Deadlines } from "../../protocol/rules/phases.ts";
import type { Account } from "../../protocol/rules/stakePool.ts";
import type { Terms } from "../../protocol/terms.ts";
import type { Phase, Role } from "../../protocol/words.ts";
import type { PublishedProposal } from "./logs.ts";

/** Everything about one task and one operator as it stood at one block. Times in seconds since 1970, amounts in wei. */
export type RoundView = {
  task: bigint;
  operator: Address;
  block: { number: bigint; hash: Hex; timestamp: number };

  creator: Address;
  manifest: Hex;
  headId: Hex;
  /** Heads so far, the first one not counted. */
  heads: number;
  closed: boolean;
  terms: Terms;
  purse: { pot: bigint; incoming: bigint; deposited: bigint; paid: bigint; closableAt: number };

  /** The open round's number, else the last one's; 0 before the first. */
  round: number;
  open: boolean;
  openedAt: number;
  /** Number of the block whose hash is the seed. */
  seedBlock: bigint;
  seedLatched: boolean;
  seedMissed: boolean;
  /** Latched, or as it would be latched now; undefined before its block, or once it is out of reach. */
  seed: Hex | undefined;
  accumulator: Hex;
  /** Weights of both pools in the open round. */
  trainerTotal: bigint;
  voterTotal: bigint;
  paidRounds: number;
  roundsLeft: number;
  voids: number;
  /** Whether a round would open now, as far as the task and its pools go. */
  openable: boolean;

  /** By the rules in this repository; with no round open None and 0. */
  phase: Phase;
  phaseEndsAt: number;
  deadlines: Deadlines | undefined;
  /** The same as the contract says it. */
  contractPhase: Phase;

  sealedProposals: number;
  sealedBallots: number;
  revealedBallots: number;
  sealedSeats: number;
  revealedSeats: number;
  /** The open round's published proposals by slot; empty with no round open. */
  proposals: PublishedProposal[];

  account: Account;
  /** What the operator staked for; undefined while its account is empty. */
  role: Role | undefined;
  /** Its weight in the open round, else in the next. */
  weight: bigint;
  /** Its seats in the open round. A voter's are known once publishing is over; 0 before. */
  seats: number;
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
  | { state: "revealed"; seats: number; scores: bigint; head: Hex };
