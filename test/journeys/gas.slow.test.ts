import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import hre from "hardhat";
import { type GasTable, measureGas, measureWorstWithPools } from "../../bench/gas.ts";
import { ACT_NAMES, type ActName } from "../../bench/support/gasTargets.ts";
import { readJson } from "../support/readJson.ts";

/** Share of a figure by which it may move before its snapshot must be taken anew. */
const TOLERANCE = 0.01;
const RENEW = "npm run bench gas -- --json docs/evidence/gas.json";

/** What no settlement may cost, or a round could not be settled where blocks are small. */
const WORST = 5_000_000;

const build = (defaultBuildProfile: string) =>
  hre.tasks.getTask("build").run({ quiet: true, noTests: true, defaultBuildProfile });
before(() => build("production"));
after(() => build("default")); // what the other tests expect to find

test("the worst settlement, with delegated stake waiting at all eighty operators, stays below 5,000,000 gas", async () => {
  const gas = await measureWorstWithPools(10);
  assert.ok(gas < WORST, `it costs ${gas}`);
});

describe("the gas of every act with ten other operators is as in docs/evidence/gas.json:", () => {
  const kept = readJson<GasTable>("docs/evidence/gas.json");
  let measured: GasTable;
  before(async () => {
    measured = await measureGas([10]);
  });

  for (const act of ACT_NAMES) {
    test(act, () => {
      const [now, then] = [measured[act]["10"]!, kept[act as ActName]["10"]!];
      const moved = Math.abs(now - then) / then;
      assert.ok(moved <= TOLERANCE, `${act} costs ${now} gas, not ${then}; if it should, renew the snapshot: ${RENEW}`);
    });
  }
});
