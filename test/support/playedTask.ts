import type { Address, Hex } from "viem";
import { accountOf, clockOf, delegationOf } from "../../protocol/replay/state.ts";
import { NO_HEAD } from "../../protocol/rules/ballots.ts";
import { delegatedNext } from "../../protocol/rules/delegation.ts";
import { phaseAt } from "../../protocol/rules/phases.ts";
import { nextWeight } from "../../protocol/rules/weights.ts";
import { longestRound } from "../../protocol/terms.ts";
import { ABSTAIN, Phase, Role } from "../../protocol/words.ts";
import type { FlockChain } from "./flockChain.ts";
import { Game, type Move } from "./game.ts";
import * as moves from "./moves.ts";
import * as rounds from "./roundMoves.ts";
import { FLK, someTerms } from "./terms.ts";
import { addressOf, headOf, wordOf } from "./words.ts";

const creator = addressOf(0xc0ffee);
const trainers = [addressOf(0x101), addressOf(0x102), addressOf(0x103)] as const;
const voters = [0x201, 0x202, 0x203, 0x204, 0x205, 0x206].map(addressOf) as [Address, Address, Address, ...Address[]];
const absent = voters[5]!;
const dissenter = voters[3]!;
const delegator = addressOf(0x301);
const signer = addressOf(0x401);
const TASK = 1n;

/** What a played task is about; everything has a default. */
export type Play = {
  manifest?: Hex | undefined;
  /** The two published proposals of each round; the first is accepted, the second rejected. */
  artifacts?: readonly (readonly [Hex, Hex])[] | undefined;
  /** The head digest that the voters name in each round. */
  heads?: readonly Hex[] | undefined;
};

/**
 * One task from its creation to its close, played on a chain: each round accepts one proposal of two, with a dissenter who
 * names another head, a proposal never published, a ballot never revealed and a voter who seals none; stakes, delegation,
 * exits, claims, a signer, refund in between.
 */
export async function playTask(chain: FlockChain, play: Play = {}): Promise<Game> {
  const { manifest = wordOf(0xa11), artifacts = [[wordOf(1), wordOf(2)]], heads = [headOf(1)] } = play;
  for (const one of [creator, delegator, ...trainers, ...voters]) await chain.endow(one, 10_000n * FLK);
  const game = new Game(chain, await chain.now());
  const act = (move: Move, at = game.now + 1) => mustPlay(game, move, at);

  const phases = { propose: 60, publish: 30, ballot: 60, reveal: 40, grace: 20, unbonding: 1000 };
  const small = { expectedTrainers: 3, expectedVoters: 6, rounds: artifacts.length, maxVoids: 1 };
  const terms = someTerms({ ...phases, ...small });
  await act(moves.createTask(creator, terms, manifest));
  await act(moves.fund(creator, TASK, 2000n * FLK));
  await act(moves.announce(trainers[0], "http://127.0.0.1:7001"));
  await act(moves.setSigner(trainers[1], TASK, signer));
  await act(moves.acceptDelegation(trainers[0], TASK, 1000));
  await act(moves.acceptDelegation(dissenter, TASK, 0));
  await act(moves.delegate(delegator, trainers[0], TASK, 50n * FLK));
  await act(moves.delegate(delegator, dissenter, TASK, 20n * FLK));
  for (const [i, pair] of artifacts.entries()) await playRound(game, pair, heads[i] ?? headOf(1));
  await act(moves.announceClose(TASK, creator));
  await act(moves.claim(voters[0], trainers[0], TASK));
  await act(moves.claim(voters[0], trainers[0], TASK, delegator));
  await act(moves.sweepBurn(voters[0]));
  await act(moves.close(voters[0], TASK));
  await act(moves.claim(voters[0], creator, TASK));
  await act(moves.requestExit(voters[1], TASK, 40n * FLK));
  await act(moves.requestExit(dissenter, TASK, 5n * FLK, delegator));
  await act(moves.withdraw(voters[0], voters[1], TASK), game.now + terms.unbonding + 1);
  await act(moves.withdraw(voters[0], trainers[0], TASK, delegator));
  return game;
}

async function playRound(game: Game, artifacts: readonly [Hex, Hex], head: Hex): Promise<void> {
  const act = (move: Move, at = game.now + 1) => mustPlay(game, move, at);
  const task = () => game.state.tasks.get(TASK)!;
  const until = (phase: Phase) => {
    const { terms, round } = task();
    let at = game.now + 1;
    while (phaseAt(terms, clockOf(round!, false), at).phase < phase) at += 1;
    return at;
  };
  await fillPools(game);
  await act(rounds.openRound(voters[0], TASK, game.state));
  const { number, seedBlock, openedAt } = task().round!;
  await act(moves.stake(voters[0], TASK, Role.Validator, 3n * FLK));
  await act(moves.delegate(delegator, trainers[0], TASK, 7n * FLK));
  await act(moves.fund(voters[0], TASK, 60n * FLK));
  const seed = await game.chain.hashOf(seedBlock);
  const sealed = [...artifacts, wordOf(0x999)].map((artifact, i) => ({ artifact, salt: wordOf(100 * number + i) }));
  for (const [i, secret] of sealed.entries()) {
    await act(rounds.commitProposal(game.state, trainers[i]!, TASK, secret, seed, i === 1 ? signer : trainers[i]));
  }
  await act(moves.requestExit(trainers[1], TASK, 10n * FLK));
  await act(moves.requestExit(trainers[0], TASK, 9n * FLK, delegator));
  await act(rounds.publishProposal(voters[0], trainers[0], TASK, sealed[0]!), until(Phase.Publish));
  await act(rounds.publishProposal(trainers[1], trainers[1], TASK, sealed[1]!));

  const scores = [
    [400, -900],
    [410, -880],
    [390, -910],
    [-500, 300],
    [ABSTAIN, ABSTAIN],
  ] as const;
  const ballots = scores.map((each, i) => {
    const named = i === 3 ? headOf(0xbad) : i === 4 ? NO_HEAD : head;
    return { scores: each, report: wordOf(0x5000 + i), head: named, salt: wordOf(0x6000 + i) };
  });
  const value = await game.chain.hashOf(task().round!.voterBlock);
  let at = until(Phase.Ballot);
  for (const [i, ballot] of ballots.entries()) {
    await act(rounds.commitBallot(game.state, voters[i]!, TASK, ballot, { value, copy: `0xc0${i}${i}` }), at);
    at = game.now + 1;
  }
  at = until(Phase.Reveal);
  for (const [i, ballot] of ballots.slice(0, 4).entries()) {
    await act(rounds.revealBallot(voters[0], voters[i]!, TASK, ballot), at);
    at = game.now + 1;
  }
  await act(rounds.accuseAbsence(voters[2], absent, TASK));
  await act(rounds.settle(voters[0], game.state, TASK), openedAt + longestRound(task().terms));
}

/** Equal weights, as many as there are seats: everybody has exactly one, whatever the seed. */
async function fillPools(game: Game): Promise<void> {
  const task = () => game.state.tasks.get(TASK)!;
  const { terms, round } = task();
  const goal = BigInt(2 + (round?.number ?? 0)) * terms.seatStake;
  for (const operator of [...trainers, ...voters]) {
    const role = trainers.includes(operator as never) ? Role.Trainer : Role.Validator;
    const delegated = delegatedNext(delegationOf(task(), operator));
    const { active, joining } = accountOf(task(), operator);
    await mustPlay(game, moves.stake(operator, TASK, role, goal - delegated - active - joining), game.now + 1);
    const weight = nextWeight(terms, accountOf(task(), operator), delegationOf(task(), operator));
    if (weight !== goal) throw new Error(`${operator} weighs ${weight} instead of ${goal}`);
  }
}

async function mustPlay(game: Game, move: Move, at: number): Promise<void> {
  const accepted = await game.play(move, at);
  if (!accepted) throw new Error(`${move.name} was refused`);
}
