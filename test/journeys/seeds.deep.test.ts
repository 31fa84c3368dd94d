import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { root } from "../../tools/files.ts";
import {
  assertAuditFindsNothing,
  assertLossFalls,
  assertNobodyHonestSlashed,
  assertPoisonerPays,
  type Figures,
  start,
} from "../support/start.ts";

/** The result of the last run is committed. */
const RESULT = join(root, "docs", "evidence", "npm-start.json");

const results: Omit<Figures, "folder">[] = [];

for (const seed of ["1", "2", "3"]) {
  test(`npm start with seed ${seed} improves the model, catches the poisoner and harms nobody`, async () => {
    const { figures } = await start(["--seed", seed]);
    const { folder: _, ...result } = figures;
    results.push(result);
    assertLossFalls(figures);
    assertPoisonerPays(figures);
    assertNobodyHonestSlashed(figures);
    assertAuditFindsNothing(figures);
  });
}

after(() => {
  mkdirSync(dirname(RESULT), { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify(results, null, 2)}\n`);
});
