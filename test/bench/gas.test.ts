import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import gas, { type GasTable } from "../../bench/gas.ts";
import { ACT_NAMES } from "../../bench/support/gasTargets.ts";
import { ExitCode } from "../../protocol/errors.ts";
import { readJson } from "../support/readJson.ts";

const kept = readJson<GasTable>("docs/evidence/gas.json");

test("the snapshot has every act at every number of operators, and no act grows by a tenth from ten to ten thousand", () => {
  assert.deepEqual(Object.keys(kept), ACT_NAMES);
  for (const act of ACT_NAMES) {
    assert.deepEqual(Object.keys(kept[act]), ["10", "100", "1000", "10000"]);
    assert.ok(kept[act]["10000"]! / kept[act]["10"]! < 1.1, act);
  }
});

test("docs/deploying.md says what the snapshot says", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/deploying.md"), "utf8");
  for (const act of ACT_NAMES) {
    const figure = (Math.round(kept[act]["10"]! / 100) * 100).toLocaleString("en-US");
    assert.ok(page.includes(`| \`${act}\` | ${figure} |`), `\`${act}\` costs ${figure}`);
  }
});

test("the bench refuses populations that do not ascend in one sentence", async () => {
  for (const populations of ["100,10", "0", "ten", "10,", "1000000"]) {
    await assert.rejects(gas({ populations }), {
      message: `--populations is "${populations}", but must be ascending whole numbers from 1 to 100000 parted by commas.`,
      exitCode: ExitCode.usage,
    });
  }
});
