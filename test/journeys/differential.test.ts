import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { playGame, startTable, tables } from "../support/differential.ts";
import { propertySeed } from "../support/property.ts";

/** What the games together must have shown: a game in which nothing happens proves nothing. */
const wanted = [
  ...["Undecided", "Accepted", "Rejected", "Missing", "more than eight slots", "forty seats or more"],
  ...["void: nothing sealed", "void: nothing published", "void: no quorum revealed", "no seed latched"],
  ...["some unpublished", "some unrevealed", "publication in grace", "reveal in grace"],
  ...["a reference head", "another head than the reference", "paid and slashed in one round", "slash of leaving stake"],
  ...["stake while a round is open", "exit exposed to the open round", "exit of stake that was joining", "claim"],
  ...["withdraw", "withdrawal although nobody settles", "funds while a round is open", "sweepBurn"],
  ...["close after all rounds", "close after void rounds", "close by the creator"],
  ...[
    "commitProposal",
    "publishProposal",
    "commitBallot",
    "revealBallot",
    "settle",
    "openRound",
    "stake",
    "withdraw",
  ].map((name) => `refused ${name}`),
];

const chain = await startTable();
after(() => chain.close());

test(`random games end the same on the contracts and by the rules, to the wei (seed ${propertySeed})`, async () => {
  const seen = new Map<string, number>();
  for (const [i, table] of tables.entries()) {
    const games = fc.asyncProperty(fc.integer({ min: 0 }), (seed) => playGame(chain, table, seed, seen));
    await fc.assert(games, { seed: propertySeed + i, numRuns: 3, endOnFailure: true });
  }
  assert.deepEqual(
    wanted.filter((what) => !seen.has(what)),
    [],
  );
});
