import assert from "node:assert/strict";
import test, { after } from "node:test";
import { makeBrokenDeployment } from "../support/brokenDeployment.ts";
import { makeDeploymentProject } from "../support/deploymentProject.ts";
import { droppedTransaction, staleNonce, strikeAt } from "../support/rpcFaults.ts";

const project = await makeDeploymentProject({ after });

test("a deployment ends where it should whatever breaks it", async (t) => {
  const { deploy, resume, start, nonce, transactions, assertUndisturbed } = await makeBrokenDeployment(t, project);

  await t.test("killed at each transaction before it is noted, and resumed each time", async () => {
    await start("in blocks");
    for (let k = 1; k <= transactions; k++) {
      const { signal, stderr } = await deploy((strike) => strikeAt({ k: 1, moment: "broadcast", strike }));
      assert.equal(signal, "SIGKILL", `transaction ${k}: ${stderr}`);
    }
    const { code, stdout, stderr } = await resume();
    assert.equal(code, 0, stdout + stderr);
    await assertUndisturbed("broadcast");
  });

  await t.test("killed after every third confirmation, and resumed each time", async () => {
    await start("at once");
    for (let k = 3; k < transactions; k += 3) {
      const { signal, stderr } = await deploy((strike) => strikeAt({ k: 3, moment: "confirmed", strike }));
      assert.deepEqual([signal, await nonce()], ["SIGKILL", k], stderr);
    }
    const { code, stdout, stderr } = await deploy();
    assert.equal(code, 0, stdout + stderr);
    await assertUndisturbed("confirmed");
  });

  await t.test("a count of transactions that lags a little behind each is waited for", async () => {
    await start("at once");
    const { code, stdout, stderr } = await deploy(() => staleNonce({ asks: 3 }));
    assert.equal(code, 0, stdout + stderr);
    await assertUndisturbed("stale nonce");
  });

  await t.test("a count of transactions that stays behind stops it with advice, also when it resumes", async () => {
    await start("at once");
    const stopped = await deploy(() => staleNonce({ k: 2, asks: Number.POSITIVE_INFINITY }));
    assert.match(stopped.stderr, /^The chain's server lags behind or lost a transaction: run the same command again/);
    assert.deepEqual([stopped.code, await nonce()], [5, 2]);
    const lagging = await deploy(() => staleNonce({ k: 0, asks: Number.POSITIVE_INFINITY }));
    assert.match(lagging.stderr, /^The chain's server lags behind or lost a transaction: run the same command again/);
    assert.deepEqual([lagging.code, await nonce()], [5, 2]);
    const again = await deploy();
    assert.equal(again.code, 0, again.stdout + again.stderr);
    await assertUndisturbed("stale nonce");
  });

  for (const k of [1, transactions]) {
    await t.test(`transaction ${k}, taken and lost by the server, is sent once more by the next run`, async () => {
      await start("at once");
      const stopped = await deploy(() => droppedTransaction({ k }), "sepolia");
      assert.match(stopped.stderr, /^The chain's server .*lost.*: run the same command again/);
      assert.deepEqual([stopped.code, await nonce()], [5, k - 1]);
      const again = await deploy(undefined, "sepolia");
      assert.match(again.stderr, new RegExp(`with nonce ${k - 1} had not arrived before the break: it is sent now\\.`));
      assert.equal(again.code, 0, again.stdout + again.stderr);
      await assertUndisturbed("dropped");
    });
  }
});
