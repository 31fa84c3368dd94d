import assert from "node:assert/strict";
import { compare } from "../../audit/compare.ts";
import { readLogs } from "../../audit/readLogs.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { replayEvents } from "../../protocol/replay/apply.ts";
import { type SettledRound, vaultOf } from "../../protocol/replay/state.ts";
import type { Terms } from "../../protocol/terms.ts";
import { nameOf, Verdict } from "../../protocol/words.ts";
import { Chance } from "./chance.ts";
import { type FlockChain, startFlockChain } from "./flockChain.ts";
import { Game } from "./game.ts";
import { Table } from "./randomPlay.ts";
import { someTerms } from "./terms.ts";
import { addressOf } from "./words.ts";

const STEPS = 600;
const operators = Array.from({ length: 40 }, (_, i) => addressOf(0xf10c00 + i));

const phases = { propose: 40, publish: 20, ballot: 40, reveal: 30, grace: 15, unbonding: 500 };
const small = { ...phases, expectedTrainers: 5, expectedVoters: 9, rounds: 3, maxVoids: 2 };
const tiny = {
  ...phases,
  expectedTrainers: 3,
  expectedVoters: 4,
  rounds: 200,
  maxVoids: 255,
  acceptBps: 5001,
  minGain: 0,
};
const crowd = { ...phases, propose: 90, ballot: 90, expectedTrainers: 8, expectedVoters: 40, rounds: 20, maxVoids: 20 };

/** In the first `eager` rounds of a task everybody does what is due. */
export type TableRules = { players: number; eager: number; tasks: readonly Terms[] };

/** Two small tasks side by side, twice; then one with more slots than half of a word and as many seats as there may be. */
export const tables: readonly TableRules[] = [
  {
    players: 18,
    eager: 2,
    tasks: [someTerms({ ...small, seatStake: 1_000_003n }), someTerms({ ...tiny, seatStake: 10n ** 18n })],
  },
  {
    players: 18,
    eager: 2,
    tasks: [someTerms({ ...small, seatStake: 1n, maxVoids: 1 }), someTerms({ ...tiny, band: 1, dissentBand: 1 })],
  },
  { players: 40, eager: 6, tasks: [someTerms({ ...crowd, seatStake: 10n ** 15n })] },
];

/** A chain at which every player has tokens; games begin where it is marked. */
export async function startTable(): Promise<FlockChain> {
  const chain = await startFlockChain();
  for (const operator of [...operators, addressOf(0xc0ffee)]) await chain.endow(operator, 10n ** 24n);
  await chain.mark();
  return chain;
}

/** Plays one random game on the contracts and by the rules, to the end. Adds to `seen` what happened how often. */
export async function playGame(
  chain: FlockChain,
  { players, eager, tasks }: TableRules,
  seed: number,
  seen: Map<string, number>,
): Promise<void> {
  await chain.rewind();
  const game = new Game(chain, await chain.now());
  const table = new Table(game, new Chance(seed), operators.slice(0, players), eager);
  for (const terms of tasks) await table.setUp(terms);
  for (let step = 0; step < STEPS; step++) await table.step();

  for (const { history } of game.state.tasks.values()) {
    for (const round of history) seeRound(round, (what) => game.saw(what));
  }
  await agree(game);
  await table.clearUp();
  await agree(game);
  assert.equal(vaultOf(game.state), 0n, "everything can be taken out");
  for (const [what, times] of game.seen) seen.set(what, (seen.get(what) ?? 0) + times);
}

/** Getters, a replay from the logs alone, and the vault's balance must be what the rules make them. */
async function agree({ chain, state }: Game): Promise<void> {
  const { client, deployment } = chain;
  const block = { number: await client.getBlockNumber({ cacheTime: 0 }), timestamp: await chain.now() };
  for (const task of state.tasks.values()) assert.deepEqual(await compare(client, state, task, block), [], "getters");
  const replayed = replayEvents(deployment, await readLogs(client, { deployment, toBlock: block.number }));
  assert.deepEqual({ ...replayed, last: undefined }, { ...state, last: undefined }, "replay");
  const { FlockToken: address, Staking } = deployment.addresses;
  const held = await client.readContract({ address, abi: abis.FlockToken, functionName: "balanceOf", args: [Staking] });
  assert.equal(held, vaultOf(state), "vault");
}

function seeRound(round: SettledRound, saw: (what: string) => void): void {
  const { isVoid, seed, slots, reference, proposals, ballots, slashed, paid } = round;
  const see = (what: string, holds: boolean) => holds && saw(what);
  const sealed = proposals.length > 0;
  const published = proposals.filter(({ slot }) => slot !== undefined).length;
  for (const { verdict } of slots) saw(nameOf(Verdict, verdict));
  see("void: nothing sealed", !sealed);
  see("void: nothing published", sealed && published === 0);
  see("void: no quorum revealed", isVoid && published > 0);
  see("no seed latched", seed === undefined);
  see("some unpublished", !isVoid && published < proposals.length);
  see("some unrevealed", !isVoid && ballots.some(({ opened }) => opened === undefined));
  see("a reference head", reference !== undefined);
  see(
    "another head than the reference",
    ballots.some(({ opened }) => reference && opened && opened.head !== reference),
  );
  see("paid and slashed in one round", paid > 0n && slashed > 0n);
  see("more than eight slots", slots.length > 8);
  see("forty seats or more", ballots.reduce((sum, { seats }) => sum + seats, 0) >= 40);
}
