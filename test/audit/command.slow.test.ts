import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ExitCode } from "../../protocol/errors.ts";
import { root } from "../../tools/files.ts";
import { startFlockChain } from "../support/flockChain.ts";
import { startNode } from "../support/hardhatNode.ts";
import { playTask } from "../support/playedTask.ts";
import { runProgram } from "../support/project.ts";

/** Runs `npx hardhat flock audit` against the chain at `url`. */
function flockAudit(url: string, ...args: string[]) {
  const command = ["node_modules/hardhat/dist/src/cli.js", "--network", "local", "flock", "audit", ...args];
  return runProgram(process.execPath, command, { cwd: root, env: { LOCAL_RPC_URL: url } });
}

test("the command audits a task and tells by its exit code what it found", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "flock-audit-"));
  t.after(() => rm(dir, { recursive: true }));
  const { url } = await startNode(t, root);
  const chain = await startFlockChain({ url });
  t.after(() => chain.close());
  const { state } = await playTask(chain);
  const write = async (name: string, changes: object) => {
    const file = join(dir, name);
    await writeFile(file, JSON.stringify({ ...chain.deployment, ...changes }));
    return file;
  };
  const deployment = await write("deployment.json", {});

  await t.test("0 without a difference", async () => {
    const { stdout, stderr, code } = await flockAudit(url, "--task", "1", "--deployment", deployment);
    assert.equal(code, ExitCode.ok, stderr);
    assert.match(
      stdout,
      /^Task 1 on chain 31337: \d+ events of blocks \d+ to \d+, 1 round settled\.\nRound 1: accepted at 390, rejected at -900;/,
    );
    assert.match(stdout, /\nNo difference: the chain says what the rules say\.\n$/);
  });

  await t.test("as JSON for programs", async () => {
    const { stdout, code } = await flockAudit(url, "--task", "1", "--deployment", deployment, "--json");
    assert.equal(code, ExitCode.ok);
    const report = JSON.parse(stdout);
    assert.deepEqual([report.events, report.differences, report.firstDifference], [state.events, 0, null]);
  });

  await t.test("6 for a difference, and the first one is named", async () => {
    // A deployment that begins too late: the first logs are missing.
    const late = await write("late.json", { block: chain.deployment.block + 40 });
    const { stdout, code } = await flockAudit(url, "--task", "1", "--deployment", late);
    assert.equal(code, ExitCode.difference);
    assert.match(
      stdout,
      /1 difference\. The first: \w+ in block \d+, log \d+: the rules refuse it: expected a task that was created, found 1\.\n$/,
    );
  });

  await t.test(
    "4 on another chain, 5 when nobody answers, 2 for a wrong command line, each with one sentence",
    async () => {
      const elsewhere = await write("elsewhere.json", { chainId: 1 });
      const wrongChain = await flockAudit(url, "--task", "1", "--deployment", elsewhere);
      assert.deepEqual([wrongChain.code, wrongChain.stdout], [ExitCode.chain, ""]);
      assert.match(wrongChain.stderr, /^The deployment is on chain 1, but the server is of chain 31337: .*\.\n$/);

      const nobody = await flockAudit("http://127.0.0.1:9", "--task", "1", "--deployment", deployment);
      assert.deepEqual([nobody.code, nobody.stdout], [ExitCode.unreachable, ""]);
      assert.match(nobody.stderr, /^The chain .* does not answer.*\n$/);

      const usage = await flockAudit(url, "--task", "one", "--deployment", deployment);
      assert.deepEqual([usage.code, usage.stderr], [ExitCode.usage, "Name the task by its number with --task.\n"]);
    },
  );
});
