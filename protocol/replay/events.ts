import type { Address, Hex } from "viem";
import type { Terms } from "../terms.ts";
import type { Role } from "../words.ts";

type OfTask = { task: bigint };
type OfRound = OfTask & { round: number };
type OfOperator = OfTask & { operator: Address };
type OfSeat = OfRound & { operator: Address };

/** What each event says, decoded; the contracts' interfaces say what it means. Wei, scores and words are bigint. */
export type EventArgs = {
  TaskCreated: OfTask & { creator: Address; manifest: Hex; terms: Terms };
  HeadMoved: OfRound & {
    parentId: Hex;
    headId: Hex;
    published: bigint;
    artifacts: readonly Hex[];
    factors: readonly bigint[];
  };

  Staked: OfOperator & { role: Role; amount: bigint; countsFrom: number };
  ExitRequested: OfOperator & { amount: bigint; exposedTo: number; unlockAt: number };
  Withdrawn: OfOperator & { amount: bigint };
  Claimed: OfOperator & { amount: bigint };
  Rewarded: OfSeat & { amount: bigint };
  Slashed: OfSeat & { fromActive: bigint; fromLeaving: bigint };
  EndpointAnnounced: { operator: Address; endpoint: string };
  BurnScheduled: { amount: bigint };
  BurnSwept: { amount: bigint };

  RoundOpened: OfRound & { seedBlock: bigint; openedAt: number; trainerTotal: bigint; voterTotal: bigint };
  SeedLatched: OfRound & { seed: Hex };
  ProposalCommitted: OfSeat & { seats: number; commitment: Hex };
  ProposalPublished: OfSeat & { slot: number; artifact: Hex; salt: Hex };

  BallotCommitted: OfSeat & { seats: number; commitment: Hex };
  BallotRevealed: OfSeat & { scores: bigint; report: Hex; head: Hex };

  Funded: OfTask & { from: Address; amount: bigint; refundable: boolean };
  RoundSettled: OfRound & {
    isVoid: boolean;
    pot: bigint;
    medians: bigint;
    verdicts: bigint;
    paid: bigint;
    slashed: bigint;
    burned: bigint;
  };
  HeadReferenced: OfRound & { headId: Hex; digest: Hex };
  CloseAnnounced: OfTask & { closableAt: number };
  TaskClosed: OfTask & { refund: bigint; burned: bigint };
};
export type EventName = keyof EventArgs;

/** What an event says, without where it stands. */
export type Told<Name extends EventName = EventName> = { [N in Name]: { name: N; args: EventArgs[N] } }[Name];

/** Where a log stands; `blockTimestamp` in seconds since 1970. */
export type LogPlace = { blockNumber: bigint; blockTimestamp: number; logIndex: number; transactionHash: Hex };

/** One event of the deployment's contracts, and where its log stands. */
export type FlockEvent<Name extends EventName = EventName> = { [N in Name]: Told<N> & LogPlace }[Name];
