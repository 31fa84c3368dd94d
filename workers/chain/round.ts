import { type Address, type Hex, zeroHash } from "viem";
import { PassingError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { type Clock, deadlines, phaseAt } from "../../protocol/rules/phases.ts";
import { seatsOf, voterSeed } from "../../protocol/rules/sortition.ts";
import { type Account, isEmpty } from "../../protocol/rules/stakePool.ts";
import { quorumOf } from "../../protocol/rules/tally.ts";
import type { Terms } from "../../protocol/terms.ts";
import { Phase, Role } from "../../protocol/words.ts";
import { reach } from "./failure.ts";
import { readProposals } from "./logs.ts";
import type { Chain } from "./open.ts";
import type { OwnBallot, OwnProposal, RoundView } from "./roundView.ts";

/**
 * Reads a task as one operator sees it, all at the newest block.
 * @throws PermanentError if there is no such task, PassingError if the chain does not answer.
 */
export async function readRound(chain: Chain, task: bigint, operator: Address): Promise<RoundView> {
  return reach(`reading task ${task}`, async () => {
    const block = await chain.client.getBlock();
    const facts = await readFacts(chain, task, operator, block.number);
    const { round, poll, terms } = facts;
    const seed = await readSeed(chain, round, block.number);
    const now = Number(block.timestamp);
    const counted = poll.round === round.number && round.open ? poll : undefined;
    const clock: Clock = {
      openedAt: round.openedAt,
      sealed: round.sealedCount,
      published: round.published,
      onTime: round.onTime,
      lastPublishedAt: round.lastPublishedAt,
      sealedSeats: counted?.sealedSeats ?? 0,
      revealedSeats: counted?.revealedSeats ?? 0,
      onTimeSeats: counted?.onTimeSeats ?? 0,
      lastRevealedAt: counted?.lastRevealedAt ?? 0,
      seedMissed: facts.seedMissed,
    };
    const { phase, endsAt } = round.open ? phaseAt(terms, clock, now) : { phase: Phase.None, endsAt: 0 };
    const proposals =
      round.open && round.published > 0
        ? await readProposals(chain, { task, round: round.number, seedBlock: round.seedBlock }, block.number)
        : [];
    const inOrder = proposals.every(({ slot }, index) => slot === index);
    if (round.open && (proposals.length !== round.published || !inOrder)) {
      const seen = `${proposals.length} of ${round.published} published proposals`;
      throw new PassingError(`The server's logs of round ${round.number} lag behind its state (${seen}): try again.`);
    }
    const role = isEmpty(facts.account) ? undefined : facts.account.role;
    const roundsLeft = terms.rounds - round.paidRounds;
    return {
      task,
      operator,
      block: { number: block.number, hash: block.hash, timestamp: now },
      creator: facts.creator,
      manifest: facts.manifest,
      headId: facts.headId,
      heads: facts.heads,
      closed: facts.closed,
      terms,
      purse: facts.purse,
      round: round.number,
      open: round.open,
      openedAt: round.openedAt,
      seedBlock: round.seedBlock,
      seedLatched: round.seeded,
      seedMissed: facts.seedMissed,
      seed,
      accumulator: round.accumulator,
      trainerTotal: round.trainerTotal,
      voterTotal: round.voterTotal,
      paidRounds: round.paidRounds,
      roundsLeft,
      voids: round.voids,
      openable:
        !facts.closed &&
        !round.open &&
        roundsLeft > 0 &&
        round.voids < terms.maxVoids &&
        facts.trainerStake >= terms.seatStake &&
        facts.voterStake >= BigInt(quorumOf(terms)) * terms.seatStake,
      phase,
      phaseEndsAt: endsAt,
      deadlines: round.open ? deadlines(terms, clock, now) : undefined,
      contractPhase: facts.contractPhase,
      sealedProposals: round.open ? round.sealedCount : 0,
      sealedBallots: counted?.ballots ?? 0,
      revealedBallots: counted?.revealed ?? 0,
      sealedSeats: clock.sealedSeats,
      revealedSeats: clock.revealedSeats,
      proposals,
      account: facts.account,
      role,
      weight: facts.weight,
      seats: seed === undefined ? 0 : seatsIn(chain, task, operator, facts, { role, phase, seed }),
      proposal: ownProposal(facts.proposal, round),
      ballot: ownBallot(facts.ballot, round),
    };
  });
}

type Facts = Awaited<ReturnType<typeof readFacts>>;

async function readFacts({ client, deployment }: Chain, task: bigint, operator: Address, blockNumber: bigint) {
  const { TaskRegistry, Rounds, ValidatorVoting, Staking, RewardDistributor } = deployment.addresses;
  const registry = { address: TaskRegistry, abi: abis.TaskRegistry, blockNumber } as const;
  const rounds = { address: Rounds, abi: abis.Rounds, blockNumber } as const;
  const voting = { address: ValidatorVoting, abi: abis.ValidatorVoting, blockNumber } as const;
  const staking = { address: Staking, abi: abis.Staking, blockNumber } as const;
  const distributor = { address: RewardDistributor, abi: abis.RewardDistributor, blockNumber } as const;
  const [
    [creator, manifest, headId, heads, closed],
    terms,
    round,
    seedMissed,
    proposal,
    [contractPhase],
    poll,
    ballot,
    account,
    [, weight],
    [trainerStake, voterStake],
    purse,
  ] = await Promise.all([
    client.readContract({ ...registry, functionName: "task", args: [task] }),
    client.readContract({ ...registry, functionName: "terms", args: [task] }),
    client.readContract({ ...rounds, functionName: "round", args: [task] }),
    client.readContract({ ...rounds, functionName: "seedMissed", args: [task] }),
    client.readContract({ ...rounds, functionName: "proposal", args: [task, operator] }),
    client.readContract({ ...voting, functionName: "phase", args: [task] }),
    client.readContract({ ...voting, functionName: "poll", args: [task] }),
    client.readContract({ ...voting, functionName: "ballot", args: [task, operator] }),
    client.readContract({ ...staking, functionName: "account", args: [task, operator] }),
    client.readContract({ ...staking, functionName: "weightOf", args: [task, operator] }),
    client.readContract({ ...staking, functionName: "totals", args: [task] }),
    client.readContract({ ...distributor, functionName: "purse", args: [task] }),
  ]);
  return {
    creator,
    manifest,
    headId,
    heads,
    closed,
    terms: terms as Terms,
    round,
    seedMissed,
    proposal,
    contractPhase: contractPhase as Phase,
    poll,
    ballot,
    account: account as Account,
    weight,
    trainerStake,
    voterStake,
    purse,
  };
}

/** The seed if it is latched or could be. */
async function readSeed(
  { client, deployment }: Chain,
  { open, seeded, seed, seedBlock }: Facts["round"],
  blockNumber: bigint,
): Promise<Hex | undefined> {
  if (!open) return undefined;
  if (seeded) return seed;
  const value = await client.readContract({
    address: deployment.addresses.BlockhashBeacon,
    abi: abis.BlockhashBeacon,
    functionName: "valueOf",
    args: [seedBlock],
    blockNumber,
  });
  return value === zeroHash ? undefined : value;
}

type Standing = { role: Role | undefined; phase: Phase; seed: Hex };

function seatsIn(
  { deployment }: Chain,
  task: bigint,
  operator: Address,
  { round, terms, weight }: Facts,
  { role, phase, seed }: Standing,
): number {
  const ticket = { rounds: deployment.addresses.Rounds, task, round: round.number, operator };
  const { seatStake } = terms;
  if (role === Role.Trainer) {
    const share = { weight, total: round.trainerTotal, expected: terms.expectedTrainers, seatStake };
    return seatsOf({ ...ticket, seed, pool: role }, share);
  }
  // Until publishing is over, each publication changes the voters' seed.
  if (role === undefined || phase < Phase.Ballot) return 0;
  const share = { weight, total: round.voterTotal, expected: terms.expectedVoters, seatStake };
  return seatsOf({ ...ticket, seed: voterSeed(seed, round.accumulator), pool: role }, share);
}

function ownProposal([of, seats, slot, published, word]: Facts["proposal"], round: Facts["round"]): OwnProposal {
  if (!round.open || of !== round.number) return { state: "none" };
  return published ? { state: "published", seats, slot, artifact: word } : { state: "sealed", seats, commitment: word };
}

function ownBallot([of, seats, revealed, word, head]: Facts["ballot"], round: Facts["round"]): OwnBallot {
  if (!round.open || of !== round.number) return { state: "none" };
  return revealed
    ? { state: "revealed", seats, scores: BigInt(word), head }
    : { state: "sealed", seats, commitment: word };
}
