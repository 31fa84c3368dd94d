import { after, test } from "node:test";
import fc from "fast-check";
import { playGame, startTable, tables } from "../support/differential.ts";
import { propertySeed } from "../support/property.ts";
import { someTable } from "../support/someTable.ts";

/** Acts of one game. */
const STEPS = 600;

const chain = await startTable();
after(() => chain.close());

const seed = fc.integer({ min: 0 });

for (const [i, table] of tables.entries()) {
  test(`many random games at table ${i + 1} end the same on the contracts and by the rules (seed ${propertySeed})`, async () => {
    const games = fc.asyncProperty(seed, async (seed) => void (await playGame(chain, table, seed, STEPS)));
    await fc.assert(games, { seed: propertySeed, numRuns: 25, endOnFailure: true });
  });
}

test(`many random games under random terms end the same on the contracts and by the rules (seed ${propertySeed})`, async () => {
  const games = fc.asyncProperty(
    someTable,
    seed,
    async (table, seed) => void (await playGame(chain, table, seed, STEPS)),
  );
  await fc.assert(games, { seed: propertySeed, numRuns: 100, endOnFailure: true });
});
