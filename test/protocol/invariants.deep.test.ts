import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { campaignOf, mutants, mutate } from "../support/mutants.ts";
import { makeProject } from "../support/project.ts";

const paths = ["hardhat.config.ts", "package.json", "tsconfig.json", "tools", "contracts", "test/contracts"];
const suite = "test/contracts/invariants/Invariants.t.sol";

test("each invariant fails on its mutant", async (t) => {
  const project = await makeProject(t, paths);
  const hardhat = join(project.dir, "node_modules/hardhat/dist/src/cli.js");
  for (const mutant of mutants) {
    await t.test(`I${mutant.invariant} fails`, async () => {
      const file = join("contracts", mutant.file);
      const source = await readFile(join(project.dir, file), "utf8");
      await project.write(file, mutate(source, mutant));
      const grep = campaignOf(mutant.invariant);
      const run = await project.run(process.execPath, [hardhat, "test", "solidity", suite, "--grep", grep]);
      await project.write(file, source);
      const told = run.stdout + run.stderr;
      assert.notEqual(run.code, 0, `nothing failed:\n${told}`);
      assert.match(told, new RegExp(`\\bI${mutant.invariant}: `), told);
    });
  }
});
