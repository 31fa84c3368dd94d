import assert from "node:assert/strict";
import { compare } from "../../audit/compare.ts";
import { readLogs } from "../../audit/readLogs.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { replayEvents } from "../../protocol/replay/apply.ts";
import { vaultOf } from "../../protocol/replay/state.ts";
import type { Terms } from "../../protocol/terms.ts";
import { Payout, Roles } from "../../protocol/words.ts";
import { Chance } from "./chance.ts";
import { type FlockChain, startFlockChain } from "./flockChain.ts";
import { Game } from "./game.ts";
import { creator, delegators } from "./players.ts";
import type { Scene } from "./scene.ts";
import { actors } from "./stage.ts";
import { Table } from "./table.ts";
import { someTerms } from "./terms.ts";
import { addressOf } from "./words.ts";

/** What divisions may leave in the pools of delegators that belongs to nobody, wei. */
const MOST_DUST = 10_000n;
const operators = Array.from({ length: 40 }, (_, i) => addressOf(0xf10c00 + i));

const phases = { propose: 40, publish: 20, ballot: 40, reveal: 30, grace: 15, unbonding: 500, idleAfter: 2000 };
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
const ranked = { payout: Payout.Ranked };
const drawn = { roles: Roles.Drawn };

/** What happened how often. */
export type Seen = ReadonlyMap<string, number>;

/** In the first `eager` rounds of a task everybody does what is due. */
export type TableRules = { players: number; eager: number; tasks: readonly Terms[] };

/** Two small tasks side by side, twice; then one with more slots than half of a word and as many seats as there may be. */
export const tables: readonly TableRules[] = [
  {
    players: 18,
    eager: 2,
    tasks: [someTerms({ ...small, seatStake: 1_000_003n }), someTerms({ ...tiny, ...ranked, seatStake: 10n ** 18n })],
  },
  {
    players: 18,
    eager: 2,
    tasks: [
      someTerms({ ...small, ...drawn, seatStake: 1n, maxVoids: 1 }),
      someTerms({ ...tiny, ...drawn, ...ranked, band: 1, dissentBand: 1 }),
    ],
  },
  { players: 40, eager: 6, tasks: [someTerms({ ...crowd, seatStake: 10n ** 15n })] },
];

/** A chain at which every player has tokens; games begin where it is marked. */
export async function startTable(): Promise<FlockChain> {
  const chain = await startFlockChain();
  for (const player of [...operators, ...delegators, creator, ...actors]) await chain.endow(player, 10n ** 24n);
  await chain.mark();
  return chain;
}

/** Plays one random game on the contracts and by the rules, to the end. Gives what happened how often. */
export async function playGame(
  chain: FlockChain,
  { players, eager, tasks }: TableRules,
  seed: number,
  steps: number,
): Promise<Seen> {
  await chain.rewind();
  const game = new Game(chain, await chain.now());
  const table = new Table(game, new Chance(seed), operators.slice(0, players), eager);
  for (const terms of tasks) await table.setUp(terms);
  for (let step = 0; step < steps; step++) await table.step();
  await agree(game);
  await table.clearUp();
  await agree(game);
  const rest = vaultOf(game.state);
  assert.ok(rest <= MOST_DUST, `everything can be taken out but for what roundings left, not ${rest} wei`);
  return game.seen;
}

/** Plays a scene on both. Gives what happened how often. */
export async function playScene(chain: FlockChain, { play }: Scene): Promise<Seen> {
  await chain.rewind();
  const game = new Game(chain, await chain.now());
  await play(game);
  await agree(game);
  return game.seen;
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
