import {
  type Address,
  type ContractEventArgs,
  type ContractEventName,
  type GetContractEventsReturnType,
  getAddress,
  type Hex,
} from "viem";
import { mayBeTooLarge } from "../../audit/chain.ts";
import type { ContractName } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { SEED_DELAY } from "../../protocol/words.ts";
import { chainFailure } from "./failure.ts";
import type { Chain } from "./open.ts";

/** Blocks that are asked for at once, as long as the server does not refuse. */
const MOST_BLOCKS = 10_000n;

export type ReadEventsParameters<C extends ContractName, E extends ContractEventName<(typeof abis)[C]>> = {
  contract: C;
  event: E;
  args?: ContractEventArgs<(typeof abis)[C], E> | undefined;
  fromBlock: bigint;
  toBlock: bigint;
};

/** Logs of one event in the order of the chain; where a server refuses the range, in smaller pieces. */
export async function readEvents<C extends ContractName, E extends ContractEventName<(typeof abis)[C]>>(
  { client, deployment }: Chain,
  { contract, event, args, fromBlock, toBlock }: ReadEventsParameters<C, E>,
): Promise<GetContractEventsReturnType<(typeof abis)[C], E, true>> {
  const found: unknown[] = [];
  let span = MOST_BLOCKS;
  for (let from = fromBlock; from <= toBlock; ) {
    const to = from + span - 1n < toBlock ? from + span - 1n : toBlock;
    try {
      const logs = await client.getContractEvents({
        address: deployment.addresses[contract],
        // The generic parameters are for the caller; within, any event is as good as another.
        abi: abis[contract] as typeof abis.Rounds,
        eventName: event as "ProposalPublished",
        args: args as Record<string, never> | undefined,
        fromBlock: from,
        toBlock: to,
        strict: true,
      });
      for (const log of logs) found.push(log);
      from = to + 1n;
    } catch (error) {
      if (to === from || !mayBeTooLarge(error))
        throw chainFailure(error, `reading ${event} of blocks ${from} to ${to}`);
      span = (to - from + 1n) / 2n;
    }
  }
  return found as GetContractEventsReturnType<(typeof abis)[C], E, true>;
}

/** Where to look for the logs of a round; `seedBlock` is the block whose hash is its seed. */
export type RoundOfTask = { task: bigint; round: number; seedBlock: bigint };

/** First block that can hold a log of the round: the one that opened it. */
export function firstBlock({ deployment }: Chain, { seedBlock }: RoundOfTask): bigint {
  const opened = seedBlock - BigInt(SEED_DELAY);
  const deployed = BigInt(deployment.block);
  return opened > deployed ? opened : deployed;
}

export type PublishedProposal = { slot: number; operator: Address; artifact: Hex };

/** The round's published proposals by slot. */
export async function readProposals(chain: Chain, round: RoundOfTask, toBlock: bigint): Promise<PublishedProposal[]> {
  const logs = await readEvents(chain, {
    contract: "Rounds",
    event: "ProposalPublished",
    args: { task: round.task, round: round.round },
    fromBlock: firstBlock(chain, round),
    toBlock,
  });
  return logs
    .map(({ args: { slot, operator, artifact } }) => ({ slot, operator: getAddress(operator), artifact }))
    .sort((a, b) => a.slot - b.slot);
}

/** All whom the settlement of a round concerns, in the order in which it wants them. */
export type Participants = {
  /** Those who published by slot, then the others by address. */
  proposers: Address[];
  /** Those who sealed a ballot or are accused of having sealed none, by address. */
  voters: Address[];
};

export async function readParticipants(chain: Chain, round: RoundOfTask, toBlock: bigint): Promise<Participants> {
  const range = { args: { task: round.task, round: round.round }, fromBlock: firstBlock(chain, round), toBlock };
  const [published, proposals, ballots, absences] = await Promise.all([
    readProposals(chain, round, toBlock),
    readEvents(chain, { contract: "Rounds", event: "ProposalCommitted", ...range }),
    readEvents(chain, { contract: "ValidatorVoting", event: "BallotCommitted", ...range }),
    readEvents(chain, { contract: "ValidatorVoting", event: "AbsenceAccused", ...range }),
  ]);
  const inSlots = published.map(({ operator }) => operator);
  const others = byAddress(proposals.map(({ args }) => getAddress(args.operator)));
  return {
    proposers: [...inSlots, ...others.filter((operator) => !inSlots.includes(operator))],
    voters: byAddress([...ballots, ...absences].map(({ args }) => getAddress(args.operator))),
  };
}

/** The encrypted copy in the event that sealed an operator's ballot; undefined if there is no such event. */
export async function readBallotCopy(
  chain: Chain,
  round: RoundOfTask,
  operator: Address,
  toBlock: bigint,
): Promise<Hex | undefined> {
  const logs = await readEvents(chain, {
    contract: "ValidatorVoting",
    event: "BallotCommitted",
    args: { task: round.task, round: round.round, operator },
    fromBlock: firstBlock(chain, round),
    toBlock,
  });
  return logs.at(-1)?.args.copy;
}

/** Ascending as numbers, which a checksummed address as text is not. */
function byAddress(addresses: Address[]): Address[] {
  return addresses.sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
}
