import { type Address, type Hex, keccak256, pad } from "viem";
import { accumulate, luck, mix, seatsOf, voterSeed } from "../../protocol/rules/sortition.ts";
import { ABSTAIN, MAX_BALLOTS, MAX_PROPOSALS, Role } from "../../protocol/words.ts";
import type { FlockChain } from "../../test/support/flockChain.ts";
import { accountOf, type Crew, type GasByAct, type Opinion, playRound, saltOf } from "./gasRound.ts";
import { ACTING_STAKE, addPassive, endow, openTask, passiveStake, rolesOf, SEAT_STAKE } from "./gasTask.ts";

/** EIP-2935's contract of older block hashes: what it answers is the seed of a round that waits long enough. */
const HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935";
const SEED = keccak256("0xf10c");
const WAIT = 300;
const ROUND = 1;
const EXPECTED = { expectedTrainers: 8, expectedVoters: 40 };
const DELEGATED = ACTING_STAKE / 10n;

/**
 * The dearest round there is: 16 proposals, all rejected, and 64 ballots, every voter paid, silent on one proposal, far off
 * on another, every third naming another head, every one leaving with half of its stake; and what tells the voters apart
 * shows only in windows halved three times. With `pools`, stake is delegated to each of the eighty, and more of it in this
 * very round, which waits for the settlement.
 */
export async function playWorst(
  chain: FlockChain,
  { task, population, pools = false }: { task: bigint; population: number; pools?: boolean },
): Promise<GasByAct> {
  // Both seeds are the same word in every round, so those with seats are known before they stake.
  await chain.request("hardhat_setCode", [HISTORY, `0x7f${SEED.slice(2)}5f5260205ff3`]);
  const draw = { chain, task, population, weight: ACTING_STAKE + (pools ? DELEGATED : 0n) };
  const trainers = lucky(draw, Role.Trainer, SEED, MAX_PROPOSALS);
  const accumulator = trainers.reduce((sum, trainer) => accumulate(sum, saltOf(trainer), trainer), pad("0x"));
  const voters = lucky(draw, Role.Validator, voterSeed(SEED, mix(accumulator, SEED)), MAX_BALLOTS);

  const crew = await openTask(chain, { task, trainers, voters }, EXPECTED);
  await addPassive(chain, task, 0, population);
  if (pools) await openPools(chain, crew);
  const wait = async () => {
    for (let block = 0; block < WAIT; block++) await chain.mine();
  };
  return playRound(chain, crew, {
    round: ROUND,
    opinions: voters.map((_, v) => opinion(v)),
    opened: async (act) => {
      for (const voter of voters) await act(voter, "Staking", "requestExit", [task, voter, ACTING_STAKE / 2n]);
      if (pools) await delegateToAll(chain, crew);
      await wait();
    },
    published: wait,
  });
}

type Draw = { chain: FlockChain; task: bigint; population: number; weight: bigint };

/** The first `count` accounts that have a seat if exactly they stake beside the passive ones, by ascending address. */
function lucky({ chain, task, population, weight }: Draw, role: Role, seed: Hex, count: number): Address[] {
  const { rounds, expected } = {
    rounds: chain.deployment.addresses.Rounds,
    expected: role === Role.Trainer ? EXPECTED.expectedTrainers : EXPECTED.expectedVoters,
  };
  const total = BigInt(count) * weight + passiveStake(role, population);
  const found: Address[] = [];
  for (let n = 0; found.length < count; n++) {
    const operator = accountOf(`worst ${role} of task ${task}`, n);
    const u = luck(seed, { rounds, task, round: ROUND, pool: role, operator });
    if (seatsOf(u, { weight, total, expected, seatStake: SEAT_STAKE }) > 0) found.push(operator);
  }
  return found.sort();
}

function opinion(voter: number): Opinion {
  const scores = Array.from({ length: MAX_PROPOSALS }, (_, slot) => {
    if (slot === voter % MAX_PROPOSALS) return ABSTAIN;
    if (slot === (voter + 1) % MAX_PROPOSALS) return 2000;
    return slot % 2 === 0 ? -100 : -110;
  });
  return { scores, head: pad(voter % 3 === 1 ? "0x02" : "0x01", { size: 20 }) };
}

/** Gives everybody a pool with stake in it. */
async function openPools(chain: FlockChain, crew: Crew): Promise<void> {
  await endow(chain, delegatorTo(crew), 2n * BigInt(everybody(crew).length));
  for (const operator of everybody(crew)) {
    await chain.act(operator, "Staking", "acceptDelegation", [crew.task, 1000]);
  }
  await delegateToAll(chain, crew);
}

async function delegateToAll(chain: FlockChain, crew: Crew): Promise<void> {
  for (const operator of everybody(crew)) {
    await chain.act(delegatorTo(crew), "Staking", "delegate", [crew.task, operator, DELEGATED]);
  }
}

function everybody(crew: Crew): Address[] {
  return rolesOf(crew).flatMap(([, all]) => all);
}

function delegatorTo({ task }: Crew): Address {
  return accountOf("delegator to all", Number(task));
}
