import hre from "hardhat";
import { type Address, type Hex, keccak256, numberToHex, pad } from "viem";
import type { ContractName } from "../protocol/deployment.ts";
import { packScores } from "../protocol/rules/ballots.ts";
import { ballotCommitment, proposalCommitment } from "../protocol/rules/commitments.ts";
import { defaultTerms, type Terms } from "../protocol/terms.ts";
import { Role } from "../protocol/words.ts";
import { type FlockChain, startFlockChain } from "../test/support/flockChain.ts";
import type { Measurement } from "../tools/bench.ts";

const SEAT_STAKE = 10n ** 18n;
const TASK = 1n;
/** The first two rounds write to fresh slots. */
const ROUNDS = 3;

/** Sums of gas by act over one round, and how often each act happened. */
type Tally = Map<string, { gas: bigint; count: number }>;

/**
 * Gas of whole transactions in the third round of a task, production profile: each act on average, and a settlement by
 * its size. Every operator has the stake of one seat, and the pools are exactly full, so that everyone has one seat.
 */
export default async function gas(): Promise<Measurement[]> {
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true, defaultBuildProfile: "production" });
  const small = await measure({ proposals: 1, ballots: 4 });
  const moreProposals = await measure({ proposals: 8, ballots: 4 });
  const moreBallots = await measure({ proposals: 1, ballots: 40 });
  const full = await measure({ proposals: 8, ballots: 40 });
  const acts = ["openRound", "commitProposal", "publishProposal", "commitBallot", "revealBallot"];
  const settle = (tally: Tally) => average(tally, "settle");
  const perProposal = Math.round((settle(moreProposals) - settle(small)) / 7);
  const perBallot = Math.round((settle(moreBallots) - settle(small)) / 36);
  return [
    ...acts.map((act) => ({ name: act, value: average(full, act), unit: "gas" })),
    { name: "settle, without", value: Math.round(settle(small) - perProposal - 4 * perBallot), unit: "gas" },
    { name: "settle, each proposal", value: perProposal, unit: "gas" },
    { name: "settle, each ballot", value: perBallot, unit: "gas" },
    { name: "settle, 8 proposals and 40 ballots", value: settle(full), unit: "gas" },
  ];
}

function average(tally: Tally, act: string): number {
  const { gas, count } = tally.get(act) ?? { gas: 0n, count: 0 };
  return Math.round(Number(gas) / count);
}

async function measure({ proposals, ballots }: { proposals: number; ballots: number }): Promise<Tally> {
  const terms: Terms = { ...defaultTerms, seatStake: SEAT_STAKE, expectedTrainers: proposals, expectedVoters: ballots };
  const chain = await startFlockChain();
  try {
    const trainers = addresses(0x1000, proposals);
    const voters = addresses(0x2000, ballots);
    const creator = addresses(0x3000, 1)[0]!;
    await chain.endow(creator, 1_000n * SEAT_STAKE);
    await chain.act(creator, "TaskRegistry", "createTask", [terms, keccak256("0x01")]);
    await chain.act(creator, "RewardDistributor", "fund", [TASK, 1_000n * SEAT_STAKE]);
    for (const [role, pool] of [
      [Role.Trainer, trainers],
      [Role.Validator, voters],
    ] as const) {
      for (const operator of pool) {
        await chain.endow(operator, 2n * SEAT_STAKE);
        await chain.act(operator, "Staking", "stake", [TASK, role, SEAT_STAKE]);
      }
    }
    let tally: Tally = new Map();
    for (let round = 1; round <= ROUNDS; round++) tally = await playRound(chain, { round, terms, trainers, voters });
    return tally;
  } finally {
    await chain.close();
  }
}

type Players = { round: number; terms: Terms; trainers: Address[]; voters: Address[] };

/** Plays one round in which all do their duty and every proposal is accepted. */
async function playRound(chain: FlockChain, { round, terms, trainers, voters }: Players): Promise<Tally> {
  const tally: Tally = new Map();
  /** The time of the next act, if it is not simply a second after the last. */
  let next: number | undefined;
  const act = async (from: Address, contract: ContractName, name: string, args: readonly unknown[]) => {
    const { gasUsed } = await chain.act(from, contract, name, args, next);
    next = undefined;
    const { gas, count } = tally.get(name) ?? { gas: 0n, count: 0 };
    tally.set(name, { gas: gas + gasUsed, count: count + 1 });
  };
  const { chainId, addresses: at } = chain.deployment;
  const place = (operator: Address) => ({ chainId, task: TASK, round, operator });
  const salt = (operator: Address) => keccak256(operator);
  const artifact = (operator: Address) => keccak256(pad(numberToHex(BigInt(operator) + BigInt(round))));
  const anyone = trainers[0]!;

  await act(anyone, "Rounds", "openRound", [TASK]);
  const openedAt = await chain.now();
  for (let block = 0; block < 3; block++) await chain.mine();
  // Outside the count: only the first proposal of a round pays for latching the seed.
  await chain.act(anyone, "Rounds", "latchSeed", [TASK]);
  for (const operator of trainers) {
    const content = { artifact: artifact(operator), salt: salt(operator) };
    const commitment = proposalCommitment({ ...place(operator), contract: at.Rounds }, content);
    await act(operator, "Rounds", "commitProposal", [TASK, commitment]);
  }
  next = openedAt + terms.propose;
  for (const operator of trainers) {
    await act(operator, "Rounds", "publishProposal", [TASK, operator, artifact(operator), salt(operator)]);
  }
  const head: Hex = pad("0x01", { size: 20 });
  const scores = packScores(trainers.map((_, slot) => 200 + slot));
  const report = keccak256("0x02");
  for (const operator of voters) {
    const content = { scores, report, head, salt: salt(operator) };
    const commitment = ballotCommitment({ ...place(operator), contract: at.ValidatorVoting }, content);
    await act(operator, "ValidatorVoting", "commitBallot", [TASK, commitment]);
  }
  next = openedAt + terms.propose + terms.publish + terms.ballot;
  for (const operator of voters) {
    await act(operator, "ValidatorVoting", "revealBallot", [TASK, operator, scores, report, head, salt(operator)]);
  }
  next = openedAt + terms.propose + terms.publish + terms.ballot + terms.reveal;
  await act(anyone, "RewardDistributor", "settle", [TASK, trainers, voters]);
  return tally;
}

/** Ascending, as a settlement wants them. */
function addresses(from: number, count: number): Address[] {
  return Array.from({ length: count }, (_, index) => pad(numberToHex((from + index) << 8), { size: 20 }));
}
