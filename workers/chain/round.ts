import { type Address, type Hex, zeroHash } from "viem";
import { PassingError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { type Clock, deadlines, phaseAt } from "../../protocol/rules/phases.ts";
import { isIdle } from "../../protocol/rules/purse.ts";
import { mix, voterSeed } from "../../protocol/rules/sortition.ts";
import { isEmpty } from "../../protocol/rules/stakePool.ts";
import { quorumOf } from "../../protocol/rules/tally.ts";
import { BallotState, Phase, Roles } from "../../protocol/words.ts";
import { type Facts, readFacts } from "./facts.ts";
import { reach } from "./failure.ts";
import { readProposals } from "./logs.ts";
import type { Chain } from "./open.ts";
import type { OwnBallot, OwnProposal, RoundView } from "./roundView.ts";
import { partOf } from "./seats.ts";

/**
 * Reads a task as one operator sees it, all at the newest block.
 * @throws PermanentError if there is no such task, PassingError if the chain does not answer.
 */
export async function readRound(chain: Chain, task: bigint, operator: Address): Promise<RoundView> {
  return reach(`reading task ${task}`, async () => {
    const block = await chain.client.getBlock();
    const facts = await readFacts(chain, task, operator, block.number);
    const { round, poll, terms } = facts;
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
        ? await readProposals(chain, { task, round: round.number, seedBlock: BigInt(round.seedBlock) }, block.number)
        : [];
    const inOrder = proposals.every(({ slot }, index) => slot === index);
    if (round.open && (proposals.length !== round.published || !inOrder)) {
      const seen = `${proposals.length} of ${round.published} published proposals`;
      throw new PassingError(`The server's logs of round ${round.number} lag behind its state (${seen}): try again.`);
    }
    const seeds = round.open ? await readSeeds(chain, round, phase, block.number) : {};
    const pool = isEmpty(facts.account) ? undefined : facts.account.role;
    const isVoid =
      phase === Phase.Settle && (clock.published === 0 || clock.seedMissed || clock.revealedSeats < quorumOf(terms));
    return {
      task,
      operator,
      block: { number: block.number, hash: block.hash, timestamp: now },
      creator: facts.creator,
      manifest: facts.manifest,
      headId: facts.headId,
      heads: facts.heads,
      closed: facts.closed,
      closableAt: facts.closableAt,
      closable: isClosable(facts, now),
      terms,
      purse: facts.purse,
      round: round.number,
      open: round.open,
      openedAt: round.openedAt,
      seedBlock: BigInt(round.seedBlock),
      voterBlock: BigInt(round.voterBlock),
      seedsLatched: round.open ? round.seedsLatched : 0,
      seedMissed: facts.seedMissed,
      seed: seeds.seed,
      voterSeed: seeds.voterSeed,
      trainerTotal: round.trainerTotal,
      voterTotal: round.voterTotal,
      paidRounds: round.paidRounds,
      roundsLeft: terms.rounds - round.paidRounds,
      voids: round.voids,
      openable: (!round.open || isVoid) && isOpenable(facts, now, isVoid ? round.voids + 1 : round.voids),
      isVoid,
      phase,
      phaseEndsAt: endsAt,
      deadlines: round.open ? deadlines(terms, clock, now) : undefined,
      contractPhase: facts.contractPhase,
      sealedProposals: round.open ? round.sealedCount : 0,
      sealedBallots: counted?.ballots ?? 0,
      revealedBallots: counted?.revealed ?? 0,
      accused: counted?.accused ?? 0,
      sealedSeats: clock.sealedSeats,
      revealedSeats: clock.revealedSeats,
      proposals,
      account: facts.account,
      pool,
      weight: facts.weight,
      ...partOf(chain, { task, operator, pool, weight: facts.weight, terms, round, ...seeds }),
      proposal: ownProposal(facts.proposal, round),
      ballot: ownBallot(facts.ballot, round),
    };
  });
}

/** Both seeds as far as they are latched or could be now; before publishing is over every publication changes the voters'. */
async function readSeeds(
  { client, deployment }: Chain,
  { seedsLatched, seed: latched, seedBlock, voterBlock, accumulator }: Facts["round"],
  phase: Phase,
  blockNumber: bigint,
): Promise<{ seed?: Hex; voterSeed?: Hex }> {
  const beaconAt = async (block: number) => {
    const value = await client.readContract({
      address: deployment.addresses.BlockhashBeacon,
      abi: abis.BlockhashBeacon,
      functionName: "valueOf",
      args: [block],
      blockNumber,
    });
    return value === zeroHash ? undefined : value;
  };
  const seed = seedsLatched > 0 ? latched : await beaconAt(seedBlock);
  if (seed === undefined) return {};
  if (phase < Phase.Ballot || voterBlock === 0) return { seed };
  if (seedsLatched === 2) return { seed, voterSeed: voterSeed(seed, accumulator) };
  const value = await beaconAt(voterBlock);
  return value === undefined ? { seed } : { seed, voterSeed: voterSeed(seed, mix(accumulator, value)) };
}

/** Whether the contracts would open the next round, as far as the task and its pools go. */
function isOpenable({ closed, closableAt, round, terms, trainerStake, voterStake }: Facts, now: number, voids: number) {
  const { seatStake, expectedTrainers, maxVoids, roles } = terms;
  const quorum = quorumOf(terms);
  const pools =
    roles === Roles.Drawn
      ? trainerStake >= BigInt(expectedTrainers + quorum) * seatStake
      : trainerStake >= seatStake && voterStake >= BigInt(quorum) * seatStake;
  const noticed = closableAt !== 0 && now >= closableAt;
  return !closed && !noticed && round.paidRounds < terms.rounds && voids < maxVoids && pools;
}

/** Whether anyone may close the task now. */
function isClosable({ closed, closableAt, round, terms, purse }: Facts, now: number): boolean {
  if (closed || round.open) return false;
  const noticed = closableAt !== 0 && now >= closableAt;
  return round.paidRounds >= terms.rounds || round.voids >= terms.maxVoids || noticed || isIdle(purse, terms, now);
}

function ownProposal([of, seats, slot, published, word]: Facts["proposal"], round: Facts["round"]): OwnProposal {
  if (!round.open || of !== round.number) return { state: "none" };
  return published ? { state: "published", seats, slot, artifact: word } : { state: "sealed", seats, commitment: word };
}

function ownBallot([of, seats, state, word, head]: Facts["ballot"], round: Facts["round"]): OwnBallot {
  if (!round.open || of !== round.number) return { state: "none" };
  if (state === BallotState.Absent) return { state: "absent", seats, accuser: head };
  return state === BallotState.Revealed
    ? { state: "revealed", seats, scores: BigInt(word), head }
    : { state: "sealed", seats, commitment: word };
}
