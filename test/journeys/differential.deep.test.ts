import { after, test } from "node:test";
import fc from "fast-check";
import { playGame, startTable, tables } from "../support/differential.ts";
import { propertySeed } from "../support/property.ts";

const chain = await startTable();
after(() => chain.close());

for (const [i, table] of tables.entries()) {
  test(`many random games at table ${i + 1} end the same on the contracts and by the rules (seed ${propertySeed})`, async () => {
    const games = fc.asyncProperty(fc.integer({ min: 0 }), (seed) => playGame(chain, table, seed, new Map()));
    await fc.assert(games, { seed: propertySeed, numRuns: 25, endOnFailure: true });
  });
}
