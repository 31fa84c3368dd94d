import type { Address, Hex } from "viem";
import type { Terms } from "../terms.ts";
import type { Role } from "../words.ts";

type OfTask = { task: bigint };
type OfRound = OfTask & { round: number };
type OfOperator = OfTask & { operator: Address };
type OfOwner = OfOperator & { owner: Address };
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
  DelegationAccepted: OfOperator & { commissionBps: number };
  Delegated: OfOwner & { amount: bigint; countsFrom: number };
  ExitRequested: OfOwner & { amount: bigint; exposedTo: number; unlockAt: number };
  Withdrawn: OfOwner & { amount: bigint };
  Claimed: OfOwner & { amount: bigint };
  Rewarded: OfSeat & { amount: bigint; toDelegators: bigint };
  Slashed: OfSeat & { fromActive: bigint; fromLeaving: bigint; fromDelegated: bigint };
  Credited: OfTask & { to: Address; amount: bigint };
  SignerSet: OfOperator & { signer: Address; countsFrom: number };
  SignerRevoked: OfOperator;
  EndpointAnnounced: { operator: Address; endpoint: string };
  BurnScheduled: { amount: bigint };
  BurnSwept: { amount: bigint };

  RoundOpened: OfRound & { seedBlock: number; openedAt: number; trainerTotal: bigint; voterTotal: bigint };
  SeedLatched: OfRound & { seed: Hex };
  VoterSeedLatched: OfRound & { value: Hex };
  ProposalCommitted: OfSeat & { seats: number; commitment: Hex };
  ProposalPublished: OfSeat & { slot: number; artifact: Hex; salt: Hex };

  BallotCommitted: OfSeat & { seats: number; commitment: Hex; copy: Hex };
  BallotRevealed: OfSeat & { scores: bigint; report: Hex; head: Hex; salt: Hex };
  AbsenceAccused: OfSeat & { seats: number; accuser: Address };

  Funded: OfTask & { from: Address; amount: bigint; refundable: boolean };
  RoundSettled: OfRound & {
    isVoid: boolean;
    pot: bigint;
    medians: bigint;
    verdicts: bigint;
    paid: bigint;
    slashed: bigint;
    burned: bigint;
    bounty: bigint;
  };
  HeadReferenced: OfRound & { headId: Hex; digest: Hex };
  CloseAnnounced: OfTask & { closableAt: number };
  TaskClosed: OfTask & { refund: bigint; burned: bigint };
};
export type EventName = keyof EventArgs;

/** What an event says, without where it stands. */
export type Told<Name extends EventName = EventName> = { [N in Name]: { name: N; args: EventArgs[N] } }[Name];

/** What a settlement must say: of the settler only the chain knows who it is. */
export type Awaited = Told | { name: "Credited"; args: OfTask & { to: undefined; amount: bigint } };

/** Where a log stands; `blockTimestamp` in seconds since 1970. */
export type LogPlace = { blockNumber: bigint; blockTimestamp: number; logIndex: number; transactionHash: Hex };

/** One event of the deployment's contracts, and where its log stands. */
export type FlockEvent<Name extends EventName = EventName> = { [N in Name]: Told<N> & LogPlace }[Name];
