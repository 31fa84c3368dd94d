import assert from "node:assert/strict";
import { after, test } from "node:test";
import { compare } from "../../audit/compare.ts";
import { readLogs } from "../../audit/readLogs.ts";
import { replayEvents } from "../../protocol/replay/apply.ts";
import { Role } from "../../protocol/words.ts";
import { startFlockChain } from "../support/flockChain.ts";
import { Game } from "../support/game.ts";
import * as moves from "../support/moves.ts";
import { openRound, settle } from "../support/roundMoves.ts";
import { FLK, someTerms } from "../support/terms.ts";
import { addressOf, wordOf } from "../support/words.ts";

const chain = await startFlockChain();
after(() => chain.close());

test("a round whose seed nobody latched in time is void and can be settled at once, by contracts and rules alike", async () => {
  const [trainer, voter] = [addressOf(1), addressOf(2)];
  for (const operator of [trainer, voter]) await chain.endow(operator, 10_000n * FLK);
  const game = new Game(chain, await chain.now());
  const play = (move: Parameters<Game["play"]>[0]) => game.play(move, game.now + 1);
  await play(moves.createTask(voter, someTerms({ expectedVoters: 5 }), wordOf(1)));
  await play(moves.stake(trainer, 1n, Role.Trainer, 100n * FLK));
  await play(moves.stake(voter, 1n, Role.Validator, 300n * FLK));
  await play(openRound(voter, 1n, game.state));
  const { seedBlock, openedAt } = game.state.tasks.get(1n)!.round!;

  // A settlement in block seedBlock + 256 still finds the hash: refused calls take a block, too.
  while ((await chain.client.getBlockNumber({ cacheTime: 0 })) < BigInt(seedBlock + 255)) await chain.mine();
  game.now = await chain.now();
  assert.equal(await play(settle(voter, game.state, 1n)), false);
  assert.equal(await chain.client.getBlockNumber({ cacheTime: 0 }), BigInt(seedBlock + 256));
  assert.equal(await play(settle(voter, game.state, 1n)), true);
  assert.ok(game.now < openedAt + game.state.tasks.get(1n)!.terms.propose, "long before the end of propose");

  const task = game.state.tasks.get(1n)!;
  assert.deepEqual([task.history[0]!.isVoid, task.voids, task.paidRounds], [true, 1, 0]);
  const block = { number: await chain.client.getBlockNumber({ cacheTime: 0 }), timestamp: game.now };
  assert.deepEqual(await compare(chain.client, game.state, task, block), []);
  const replayed = replayEvents(chain.deployment, await readLogs(chain.client, { ...chain, toBlock: block.number }));
  assert.deepEqual(replayed.tasks, game.state.tasks);
});
