import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { after } from "node:test";
import { parseEther } from "viem";
import { contractNames } from "../../protocol/deployment.ts";
import {
  addressesOf,
  deployCommand,
  deployer,
  hardhat,
  makeDeploymentProject,
  makeWorld,
  run,
} from "../support/deploymentProject.ts";
import { someManifest } from "../support/manifest.ts";
import { strikeAt } from "../support/rpcFaults.ts";
import { startRpcProxy } from "../support/rpcProxy.ts";

const project = await makeDeploymentProject({ after });

/** Methods that change a chain. */
const changing = /^eth_send|^(evm|hardhat)_(?!metadata|getAutomine)/;
/** The rows of the table that a dry run prints into a pipe. */
const rowsOf = (stdout: string) =>
  stdout
    .split("\n")
    .slice(1)
    .filter((line) => line.includes("\t"))
    .map((line) => line.split("\t"));
const deployments = () => readdir(join(project.dir, "ignition/deployments")).catch(() => []);

test("a dry run tells what would be sent, where it would be and what it would cost, and changes nothing", async (t) => {
  const world = await makeWorld(t, project);
  const { client } = world.node;
  const proxy = await startRpcProxy(world.node.url);
  t.after(() => proxy.close());
  const watched = { ...world, env: { LOCAL_RPC_URL: proxy.url } };
  let expected: string[][] = [];

  const sent = () => proxy.seen.filter((method) => changing.test(method));
  const dry = (parameters: string[] = []) => run(watched, [...deployCommand, "--dry-run", ...parameters]);

  await t.test("of a whole deployment", async () => {
    const { stdout, stderr, code } = await dry();
    assert.deepEqual([stderr, code], ["", 0]);
    expected = rowsOf(stdout);
    const deployed = expected.filter(([step]) => step === "deploy").map(([, contract]) => contract);
    assert.deepEqual(deployed.toSorted(), contractNames.toSorted());
    assert.ok(expected.some(([step, contract]) => step === "bind" && contract === "Staking"));
    assert.match(stdout, /^\d+ transactions, [\d,]+ gas: 0\.\d+ ETH at [\d.]+ gwei\.$/m);
    assert.match(stdout, /holds 10000 ETH: enough\. Nothing was sent\.\n$/);
  });

  await t.test("with an account that cannot pay", async () => {
    const before = await client.getBalance({ address: deployer });
    await client.setBalance({ address: deployer, value: parseEther("0.001") });
    const { stdout, stderr, code } = await dry();
    await client.setBalance({ address: deployer, value: before });
    assert.match(stdout, /holds 0\.001 ETH: 0\.0\d+ ETH too little\. Nothing was sent\.\n$/);
    assert.match(stderr, /^The account 0xf39\w+ holds 0\.001 ETH, but this costs 0\.0\d+ ETH\.\n$/);
    assert.equal(code, 4);
  });

  await t.test("with wrong parameters", async () => {
    const { stderr, code } = await dry(["--parameters", "{ FlockToken: { holder: 5 } }"]);
    assert.match(stderr, /FlockToken\.holder must be an address in quotes\.\n$/);
    assert.equal(code, 3);
  });

  await t.test("of what is left of a broken deployment, without mending it", async () => {
    assert.deepEqual([sent(), await deployments(), await client.getBlockNumber()], [[], [], 0n]);
    proxy.meddle = strikeAt({ k: 3, moment: "broadcast", strike: () => {} });
    // The connection breaks at the third transaction: Ignition stops, as if killed there.
    await run(watched, deployCommand);
    proxy.meddle = (_request, forward) => forward();
    assert.equal(await client.getTransactionCount({ address: deployer }), 3);
    const journal = join(project.dir, "ignition/deployments/chain-31337/journal.jsonl");
    const before = await readFile(journal, "utf8");
    proxy.seen.length = 0;
    const { stdout, stderr, code } = await dry();
    assert.deepEqual([stderr, code], ["", 0]);
    const steps = (rows: string[][]) => rows.map(([step, contract, address]) => [step, contract, address]);
    assert.deepEqual(steps(rowsOf(stdout)), steps(expected.slice(3)));
    assert.deepEqual([sent(), await readFile(journal, "utf8")], [[], before]);
  });

  await t.test("and the deployment then does just that", async () => {
    const { code, stdout } = await run(watched, deployCommand);
    assert.equal(code, 0, stdout);
    const { addresses } = await addressesOf(watched);
    for (const [step, contract, address] of expected) {
      if (step === "deploy") assert.equal(address, addresses[contract as keyof typeof addresses]);
    }
    const again = await dry();
    assert.match(again.stdout, /^0 transactions, 0 gas: 0 ETH/m);
    assert.equal(again.code, 0);
  });

  await t.test("of a task and its money", async () => {
    await project.write("manifest.json", JSON.stringify(someManifest()));
    const task = ["--manifest", "manifest.json", "--seat-stake", "100", "--deposit", "5000"];
    const create = [hardhat, "flock", "create-task", "--network", "local", ...task];
    const nonce = await client.getTransactionCount({ address: deployer });
    proxy.seen.length = 0;
    const created = await run(watched, [...create, "--dry-run"]);
    assert.deepEqual(
      rowsOf(created.stdout).map(([step, contract]) => [step, contract]),
      [
        ["allow the deposit", "FlockToken"],
        ["create the task", "TaskRegistry"],
        ["fund task 1", "RewardDistributor"],
      ],
    );
    assert.equal(created.code, 0);
    assert.deepEqual([sent(), await client.getTransactionCount({ address: deployer })], [[], nonce]);

    const fund = [hardhat, "flock", "fund", "--network", "local", "--amount", "1", "--dry-run", "--task", "1"];
    const early = await run(watched, fund);
    assert.match(early.stderr, /The transaction to fund task 1 was refused: UnknownTask\(1\)\.\n$/);
    assert.equal((await run(watched, [...create, "--yes"])).code, 0);
    const funded = await run(watched, [...fund, "--json"]);
    const { transactions, cost } = JSON.parse(funded.stdout) as { transactions: { step: string }[]; cost: string };
    assert.deepEqual(
      transactions.map(({ step }) => step),
      ["allow the deposit", "fund task 1"],
    );
    assert.ok(BigInt(cost) > 0n, cost);
  });
});
