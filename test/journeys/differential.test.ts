import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { playGame, playScene, startTable, tables } from "../support/differential.ts";
import { moneyScenes } from "../support/moneyScenes.ts";
import { propertySeed } from "../support/property.ts";
import { roundScenes } from "../support/roundScenes.ts";
import { someTable } from "../support/someTable.ts";

/** Acts of one game. */
const STEPS = 250;

const chain = await startTable();
after(() => chain.close());

for (const scene of [...roundScenes, ...moneyScenes]) {
  test(`contracts and rules agree on ${scene.name}, and it shows what it should`, async () => {
    const seen = await playScene(chain, scene);
    assert.deepEqual(
      scene.shows.filter((what) => !seen.has(what)),
      [],
    );
  });
}

const seed = fc.integer({ min: 0 });

for (const [i, table] of tables.entries()) {
  test(`random games at table ${i + 1} end the same on the contracts and by the rules, to the wei (seed ${propertySeed})`, async () => {
    const games = fc.asyncProperty(seed, async (seed) => notVacuous(await playGame(chain, table, seed, STEPS)));
    await fc.assert(games, { seed: propertySeed + i, numRuns: 2, endOnFailure: true });
  });
}

test(`random games under random terms end the same on the contracts and by the rules, to the wei (seed ${propertySeed})`, async () => {
  const games = fc.asyncProperty(
    someTable,
    seed,
    async (table, seed) => void (await playGame(chain, table, seed, STEPS)),
  );
  await fc.assert(games, { seed: propertySeed, numRuns: 4, endOnFailure: true });
});

/** A game in which nothing happens proves nothing. */
function notVacuous(seen: ReadonlyMap<string, number>): void {
  const acts = ["openRound", "commitProposal", "publishProposal", "commitBallot", "revealBallot", "settle"];
  const money = ["stake", "delegate", "requestExit", "withdraw", "claim"];
  assert.deepEqual(
    [...acts, ...money].filter((act) => !seen.has(act)),
    [],
  );
}
