import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Hex, parseEther } from "viem";
import type { Verification } from "../../ignition/tasks/verifyDeployment.ts";
import { contractNames } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { manifestDigest } from "../../protocol/manifest.ts";
import { defaultTerms } from "../../protocol/terms.ts";
import {
  addressesOf,
  deployCommand,
  deployer,
  hardhat,
  makeDeploymentProject,
  makeWorld,
  run,
  verifyCommand,
} from "../support/deploymentProject.ts";
import { someManifest } from "../support/manifest.ts";

/** The second account of `hardhat node`. */
const holder = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

const project = await makeDeploymentProject({ after });

test("a deployment has every parameter and link that it should, and takes the tasks that its creator describes", async (t) => {
  const world = await makeWorld(t, project);
  const { client } = world.node;
  await project.write("manifest.json", JSON.stringify(someManifest()));
  const command = [hardhat, "flock", "create-task", "--network", "local", "--manifest", "manifest.json"];
  const amounts = ["--seat-stake", "100", "--deposit", "5000"];
  const early = await run(world, [...command, ...amounts, "--yes"]);
  assert.match(early.stderr, /^There is no deployment in .*chain-31337: deploy first/);
  assert.equal(early.code, 2);

  await project.write("mine.json5", `{ FlockToken: { holder: "${holder}" } } // not the deployer`);
  const deployed = await run(world, [...deployCommand, "--parameters", "mine.json5"]);
  assert.equal(deployed.code, 0, deployed.stdout + deployed.stderr);
  const { chainId, block, addresses } = await addressesOf(world);
  const token = { address: addresses.FlockToken, abi: abis.FlockToken } as const;

  await t.test("the addresses name each contract, and the block is that of the first", async () => {
    assert.equal(chainId, 31337);
    assert.equal(block, 1);
    for (const name of contractNames) assert.ok(await client.getCode({ address: addresses[name] }), name);
  });

  await t.test("a module of the addresses takes the place of the JSON if its file is TypeScript", async () => {
    const command = [hardhat, "flock", "addresses", "--network", "local", "--out"];
    assert.equal((await run(world, [...command, "flock.ts"])).code, 0);
    const { flock } = await import(join(project.dir, "flock.ts"));
    assert.deepEqual(flock, { chainId, block, addresses, abis });
  });

  await t.test("a file of addresses that cannot be written is one sentence", async () => {
    for (const [out, reason] of [
      ["missing/dir/x", "there is no folder missing/dir"],
      ["contracts", "EISDIR: illegal operation on a directory, open 'contracts'"],
    ] as const) {
      const written = await run(world, [hardhat, "flock", "addresses", "--network", "local", "--out", out]);
      assert.deepEqual([written.stderr, written.code], [`--out ${out} cannot be written: ${reason}.\n`, 2]);
    }
  });

  await t.test("the holder of the parameters has the whole supply", async () => {
    const supply = await client.readContract({ ...token, functionName: "totalSupply" });
    assert.equal(supply, parseEther("1000000000"));
    assert.equal(await client.readContract({ ...token, functionName: "balanceOf", args: [holder] }), supply);
    assert.equal(await client.readContract({ ...token, functionName: "balanceOf", args: [deployer] }), 0n);
  });

  await t.test("it is verified against this repository, and nobody can bind again", async () => {
    const { stdout, stderr, code } = await run(world, [...verifyCommand, "--parameters", "mine.json5", "--json"]);
    assert.deepEqual([stderr, code], ["", 0]);
    const { contracts, differences } = JSON.parse(stdout) as Verification;
    assert.deepEqual(differences, []);
    const links = Object.fromEntries(contracts.map((contract) => [contract.name, contract.links]));
    const { TaskRegistry, Staking, Rounds, RewardDistributor, ...others } = addresses;
    assert.partialDeepStrictEqual(links, {
      TaskRegistry: { _deployer: deployer, distributor: RewardDistributor },
      Staking: {
        ...{ _deployer: deployer, token: others.FlockToken, registry: TaskRegistry },
        ...{ rounds: Rounds, distributor: RewardDistributor },
      },
      Rounds: {
        ...{ _deployer: deployer, registry: TaskRegistry, staking: Staking, beacon: others.BlockhashBeacon },
        ...{ voting: others.ValidatorVoting, distributor: RewardDistributor },
      },
      ValidatorVoting: { rounds: Rounds },
      RewardDistributor: {
        ...{ registry: TaskRegistry, staking: Staking, rounds: Rounds, voting: others.ValidatorVoting },
      },
    });
    const again = { address: addresses.TaskRegistry, abi: abis.TaskRegistry, functionName: "bind" } as const;
    const bind = client.simulateContract({ ...again, args: [deployer], account: deployer });
    await assert.rejects(bind, /AlreadyBound/);
  });

  await t.test("a difference is a sentence and exit code 6, after the table", async () => {
    const without = await run(world, verifyCommand);
    assert.match(
      without.stderr,
      /^FlockToken: its supply went to 0x\w+, but must go to 0x\w+ \(parameter holder\)\.\n$/,
    );
    assert.match(without.stdout, /^Rounds\t0x\w+\tsame\t.*distributor RewardDistributor\t$/m);
    assert.equal(without.code, 6);
    await project.write("wrong.json", JSON.stringify({ chainId, block, addresses: { ...addresses, Rounds: holder } }));
    const wrong = await run(world, [...verifyCommand, "--parameters", "mine.json5", "--deployment", "wrong.json"]);
    assert.deepEqual([wrong.stderr, wrong.code], [`Rounds: there is no contract at ${holder}.\n`, 6]);
  });

  const endowment = parseEther("10000");
  await client.writeContract({
    ...token,
    functionName: "transfer",
    args: [deployer, endowment],
    account: holder,
    chain: null,
  });
  const nonce = () => client.getTransactionCount({ address: deployer });
  const before = await nonce();

  await t.test("in a pipe it refuses to sign without --yes", async () => {
    const { stderr, stdout, code } = await run(world, [...command, ...amounts]);
    assert.match(stderr, /add --yes/);
    assert.deepEqual({ stdout, code, nonce: await nonce() }, { stdout: "", code: 2, nonce: before });
  });

  await t.test("it refuses a deposit that the account does not have", async () => {
    const { stderr, code } = await run(world, [...command, "--seat-stake", "1", "--deposit", "10001", "--yes"]);
    assert.match(stderr, /holds 10000 FLK, but the deposit is 10001 FLK\.\n$/);
    assert.deepEqual({ code, nonce: await nonce() }, { code: 4, nonce: before });
  });

  await t.test("it refuses a deployment of another chain", async () => {
    await project.write("other.json", JSON.stringify({ chainId: 1, block: 1, addresses }));
    const { stderr, code } = await run(world, [...command, ...amounts, "--yes", "--deployment", "other.json"]);
    assert.match(stderr, /^The deployment is for chain 1, but network "local" is chain 31337\.\n$/);
    assert.deepEqual({ code, nonce: await nonce() }, { code: 4, nonce: before });
  });

  await t.test("it says when the chain does not answer", async () => {
    const away = { ...world, env: { LOCAL_RPC_URL: "http://127.0.0.1:9" } };
    const { stderr, code } = await run(away, [...command, ...amounts, "--yes"]);
    assert.match(stderr, /does not answer/);
    assert.equal(code, 5);
  });

  await t.test("with --yes it creates and funds the task, and prints it as JSON", async () => {
    const { stdout, stderr, code } = await run(world, [...command, ...amounts, "--yes", "--json"]);
    assert.equal(code, 0, stderr);
    const created = JSON.parse(stdout) as { task: string; transactions: { what: string; hash: Hex }[] };
    assert.equal(created.task, "1");
    const sent = created.transactions.map(({ what }) => what);
    assert.deepEqual(sent, ["allow the deposit", "create the task", "fund task 1"]);

    const registry = { address: addresses.TaskRegistry, abi: abis.TaskRegistry } as const;
    const terms = await client.readContract({ ...registry, functionName: "terms", args: [1n] });
    assert.deepEqual(terms, { ...defaultTerms, seatStake: parseEther("100") });
    const [creator, manifest] = await client.readContract({ ...registry, functionName: "task", args: [1n] });
    assert.deepEqual({ creator, manifest }, { creator: deployer, manifest: manifestDigest(someManifest()) });
    const distributor = { address: addresses.RewardDistributor, abi: abis.RewardDistributor } as const;
    const { pot } = await client.readContract({ ...distributor, functionName: "purse", args: [1n] });
    assert.equal(pot, parseEther("5000"));
  });

  await t.test("fund adds to the pot, and names the contract's reason when it is refused", async () => {
    const fund = [hardhat, "flock", "fund", "--network", "local", "--amount", "1", "--yes", "--task"];
    assert.equal((await run(world, [...fund, "1"])).code, 0);
    const { stderr, code } = await run(world, [...fund, "2"]);
    assert.match(stderr, /The transaction to fund task 2 was refused: UnknownTask\(2\)\.\n$/);
    assert.equal(code, 4);
  });
});

test("wrong parameters stop a deployment before anything is sent", async (t) => {
  const world = await makeWorld(t, project);
  for (const [text, reason] of [
    ["{ FlockToken: { holder: 5 } }", /^wrong\.json5: FlockToken\.holder must be an address in quotes\.\n$/],
    [`{ NamedToken: { address: "${holder}" } }`, /NamedToken\.address 0x\w+ is no contract on network "local"\.\n$/],
  ] as const) {
    await project.write("wrong.json5", text);
    const { stderr, code } = await run(world, [...deployCommand, "--parameters", "wrong.json5"]);
    assert.match(stderr, reason);
    assert.equal(code, 3);
  }
  assert.equal(await world.node.client.getTransactionCount({ address: deployer }), 0);
});

test("a deployment that was killed is resumed and deploys nothing twice", async (t) => {
  const world = await makeWorld(t, project);
  const { client } = world.node;
  await client.setAutomine(false);
  await client.setIntervalMining({ interval: 1 });
  const folder = join(project.dir, "ignition/deployments/chain-31337");
  const journal = join(folder, "journal.jsonl");
  const confirmed = async () =>
    ((await readFile(journal, "utf8").catch(() => "")).match(/TRANSACTION_CONFIRM/g) ?? []).length;

  const child = spawn(process.execPath, deployCommand, {
    cwd: project.dir,
    env: { ...process.env, ...world.env },
    stdio: "ignore",
  });
  while ((await confirmed()) === 0) {
    assert.equal(child.exitCode, null, "the deployment ended before it could be killed");
    await sleep(20);
  }
  child.kill("SIGKILL");
  await once(child, "exit");
  const first = await confirmed();
  assert.ok(first < 10, `killed after ${first} of 10 transactions`);
  const incomplete = await run(world, [hardhat, "flock", "addresses", "--network", "local"]);
  assert.match(incomplete.stderr, /is not complete: run npx hardhat ignition deploy again, it resumes\.\n$/);
  assert.equal(incomplete.code, 4);

  // What a kill in the middle of a write leaves.
  await appendFile(journal, '\n{"futureId":"Flo');
  await writeFile(join(folder, "deployed_addresses.json"), "");
  const resumed = await run(world, deployCommand);
  assert.equal(resumed.code, 0, resumed.stdout + resumed.stderr);
  assert.equal(await client.getTransactionCount({ address: deployer }), 10, "seven contracts and three binds");
  await addressesOf(world);

  const third = await run(world, deployCommand);
  assert.match(third.stdout, /Nothing new to deploy/);
  assert.equal(await client.getTransactionCount({ address: deployer }), 10);
});
