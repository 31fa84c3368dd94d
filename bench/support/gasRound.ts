import { type Address, type Hex, keccak256, numberToHex, pad } from "viem";
import type { ContractName } from "../../protocol/deployment.ts";
import { packScores } from "../../protocol/rules/ballots.ts";
import { ballotCommitment, proposalCommitment } from "../../protocol/rules/commitments.ts";
import type { Terms } from "../../protocol/terms.ts";
import type { FlockChain } from "../../test/support/flockChain.ts";

/** Gas of whole transactions by the act's name, in the order in which they were sent. */
export type GasByAct = Map<string, number[]>;

/** Sends an act and notes its gas. */
export type Act = (from: Address, contract: ContractName, name: string, args: readonly unknown[]) => Promise<void>;

/** A task, and who works in it: trainers in the order of publication, voters by ascending address. */
export type Crew = { task: bigint; terms: Terms; trainers: readonly Address[]; voters: readonly Address[] };

/** What a voter says: one score for each published proposal, and the head it measured against. */
export type Opinion = { scores: readonly number[]; head: Hex };

/** One round: its number, what each voter says, who else is accused, and what happens at some of its moments. */
export type Script = {
  round: number;
  opinions: readonly Opinion[];
  absent?: readonly Address[] | undefined;
  opened?: ((act: Act) => Promise<void>) | undefined; // before the seed is latched
  published?: (() => Promise<void>) | undefined; // before the voters' seed is latched
};

/** Bytes of a ballot's encrypted copy as `flockctl` makes it. */
const COPY = 112;

/** Plays one round in which everybody publishes and reveals, and settles it. */
export async function playRound(chain: FlockChain, crew: Crew, script: Script): Promise<GasByAct> {
  const { task, terms, trainers, voters } = crew;
  const { round, opinions, absent = [] } = script;
  const gas: GasByAct = new Map();
  /** The time of the next act, if it is not simply a second after the last. */
  let next: number | undefined;
  const act: Act = async (from, contract, name, args) => {
    const { gasUsed } = await chain.act(from, contract, name, args, next);
    next = undefined;
    gas.set(name, [...(gas.get(name) ?? []), Number(gasUsed)]);
  };
  const { chainId, addresses: at } = chain.deployment;
  const place = (operator: Address) => ({ chainId, task, round, operator });
  const anyone = trainers[0]!;

  await act(anyone, "Rounds", "openRound", [task, [], []]);
  const openedAt = await chain.now();
  for (let block = 0; block < 3; block++) await chain.mine();
  await script.opened?.(act);
  // By itself, or the first to seal would pay for it.
  await act(anyone, "Rounds", "latchSeed", [task]);
  for (const operator of trainers) {
    const content = { artifact: artifactOf(operator, round), salt: saltOf(operator) };
    const commitment = proposalCommitment({ ...place(operator), contract: at.Rounds }, content);
    await act(operator, "Rounds", "commitProposal", [task, operator, commitment]);
  }
  next = openedAt + terms.propose;
  for (const operator of trainers) {
    await act(operator, "Rounds", "publishProposal", [task, operator, artifactOf(operator, round), saltOf(operator)]);
  }
  await chain.mine(); // the block of the voters' seed, which the first publication named
  await script.published?.();
  await act(anyone, "Rounds", "latchSeed", [task]);
  const report = keccak256("0x02");
  const ballots = voters.map((operator, v) => {
    const { scores, head } = opinions[v]!;
    return { operator, content: { scores: packScores(scores), report, head, salt: saltOf(operator) } };
  });
  for (const { operator, content } of ballots) {
    const commitment = ballotCommitment({ ...place(operator), contract: at.ValidatorVoting }, content);
    const copy = `0x${"5a".repeat(COPY)}`;
    await act(operator, "ValidatorVoting", "commitBallot", [task, operator, commitment, copy]);
  }
  next = openedAt + terms.propose + terms.publish + terms.ballot;
  for (const { operator, content } of ballots) {
    const { scores, head, salt } = content;
    await act(operator, "ValidatorVoting", "revealBallot", [task, operator, scores, report, head, salt]);
  }
  for (const operator of absent) await act(anyone, "ValidatorVoting", "accuseAbsence", [task, operator]);
  next = openedAt + terms.propose + terms.publish + terms.ballot + terms.reveal;
  await act(anyone, "RewardDistributor", "settle", [task, trainers, [...voters, ...absent].sort()]);
  return gas;
}

/** The salt of an operator, the same in every round. */
export function saltOf(operator: Address): Hex {
  return keccak256(operator);
}

function artifactOf(operator: Address, round: number): Hex {
  return keccak256(pad(numberToHex(BigInt(operator) + BigInt(round))));
}

/** The n-th address of some kind, as random as those of real accounts. Lower case, so that text sorts as numbers do. */
export function accountOf(kind: string, n: number): Address {
  return `0x${keccak256(new TextEncoder().encode(`${kind} ${n}`)).slice(26)}`;
}

export function accountsOf(kind: string, count: number): Address[] {
  return Array.from({ length: count }, (_, n) => accountOf(kind, n)).sort();
}

/** The middle one, the upper of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
