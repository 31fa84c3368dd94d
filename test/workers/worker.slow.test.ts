import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Redis } from "ioredis";
import { privateKeyToAccount } from "viem/accounts";
import { abis } from "../../protocol/generated/abis.ts";
import { Role } from "../../protocol/words.ts";
import { openQueueBackend } from "../../workers/queue/backend.ts";
import { operatorKey } from "../../workers/sender/key.ts";
import { writeSecret } from "../../workers/sender/secret.ts";
import { type LocalChain, startLocalChain, type TestAccount } from "../support/localChain.ts";
import { descendants } from "../support/processTree.ts";
import { FLK } from "../support/terms.ts";
import { makeTinyTask, type TinyTask } from "../support/tinyTask.ts";
import { until } from "../support/until.ts";
import {
  flockctl,
  openWorkerTask,
  type RunningCommand,
  readStatus,
  stakeFor,
  startFlockctl,
  writeOperatorConfig,
} from "../support/workerTask.ts";

describe("an operator's worker process", () => {
  let folder: string;
  let tiny: TinyTask;
  let chain: LocalChain;
  let task: bigint;
  const running: RunningCommand[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-worker-"));
    tiny = await makeTinyTask(folder);
    chain = await startLocalChain();
    task = await openWorkerTask(chain, tiny.digest);
  });
  after(async () => {
    for (const { kill } of running) kill("SIGKILL");
    await Promise.all(running.map(({ ended }) => ended));
    await chain.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const operatorOf = (name: string) => chain.accounts[name === "trainer" ? 1 : 2] as TestAccount;
  async function configure(name: string): Promise<string> {
    const file = await writeOperatorConfig(join(folder, name), {
      chain,
      task,
      tiny,
      operator: operatorOf(name).address,
    });
    if (name !== "validator") return file;
    const config = JSON.parse(await readFile(file, "utf8"));
    await writeFile(file, JSON.stringify({ ...config, secret: "secret" }));
    return file;
  }
  async function start(name: string, { privateKey } = operatorOf(name)): Promise<RunningCommand> {
    const worker = startFlockctl(["worker", "--config", await configure(name)], { OPERATOR_KEY: privateKey });
    running.push(worker);
    return worker;
  }
  const rounds = () => ({ address: chain.deployment.addresses.Rounds, abi: abis.Rounds }) as const;
  const readRound = () => chain.client.readContract({ ...rounds(), functionName: "round", args: [task] });
  const readPhase = () =>
    chain.client.readContract({
      address: chain.deployment.addresses.ValidatorVoting,
      abi: abis.ValidatorVoting,
      functionName: "phase",
      args: [task],
    });
  async function endPhase(): Promise<void> {
    const [, endsAt] = await readPhase();
    const { timestamp } = await chain.client.getBlock();
    if (BigInt(endsAt) > timestamp) await chain.pass(Number(BigInt(endsAt) - timestamp));
  }

  /** A machine for the validator's worker that never sees its key: another key, named as its signer, and its secret. */
  async function appointSigner(): Promise<TestAccount> {
    const signer = chain.accounts[8] as TestAccount;
    const { privateKey } = operatorOf("validator");
    const hash = await chain.client.writeContract({
      account: privateKeyToAccount(privateKey),
      address: chain.deployment.addresses.Staking,
      abi: abis.Staking,
      functionName: "setSigner",
      args: [task, signer.address],
    });
    await chain.client.waitForTransactionReceipt({ hash });
    await writeSecret(join(folder, "validator", "secret"), operatorKey(privateKey, "a test").secret());
    return signer;
  }

  test("takes a round from its opening to its settlement, killed in its midst, the validator by its signer", async () => {
    for (const [name, role] of [
      ["trainer", Role.Trainer],
      ["validator", Role.Validator],
    ] as const) {
      await stakeFor(chain, operatorOf(name), { task, role, amount: 100n * FLK });
    }
    const trainer = await start("trainer");
    await start("validator", await appointSigner());
    await until(async () => (await readRound()).open);
    await chain.client.mine({ blocks: 2 }); // the seed's block

    await until(async () => (await readRound()).sealedCount === 1);
    trainer.kill("SIGKILL"); // after sealing: what it sealed must be found and published by its next life
    await trainer.ended;
    await endPhase();
    const again = await start("trainer");
    await until(async () => (await readRound()).published === 1);
    await chain.client.mine({ blocks: 2 }); // the block that the voters' seed waits for

    const voting = { address: chain.deployment.addresses.ValidatorVoting, abi: abis.ValidatorVoting } as const;
    const poll = () => chain.client.readContract({ ...voting, functionName: "poll", args: [task] });
    await until(async () => (await poll()).ballots === 1);
    await endPhase();
    await until(async () => (await poll()).revealed === 1);
    await endPhase();
    // Round 1 was settled, not void, when the next one opens: its pay counts.
    const settled = await until(async () => {
      const round = await readRound();
      return round.number === 2 || !round.open ? round : undefined;
    });
    assert.equal(settled.paidRounds, 1);
    assert.equal(settled.voids, 0);

    const status = await readStatus(join(folder, "trainer"));
    assert.equal(status?.operator, operatorOf("trainer").address);
    again.kill("SIGTERM");
    const { code, stderr } = await again.ended;
    assert.equal(code, 0, stderr);
  });

  test("does the same as one process a duty, though its queue forgets everything", async () => {
    const backend = await openQueueBackend({ dir: join(folder, "queue") });
    const { connection } = backend;
    const file = await configure("trainer");
    const config = JSON.parse(await readFile(file, "utf8"));
    const url = "redis" in connection ? connection.redis : connection.postgres;
    await writeFile(file, JSON.stringify({ ...config, queue: { url } }));
    const { privateKey } = operatorOf("trainer");
    const parts = [
      startFlockctl(["worker", "--config", file, "--roles", "scheduler"]),
      startFlockctl(["worker", "--config", file, "--roles", "trainer"]), // no key, no say
      startFlockctl(["worker", "--config", file, "--roles", "sender"], { OPERATOR_KEY: privateKey }),
    ];
    running.push(...parts);
    await until(async () => (await readRound()).number === 2 && (await readRound()).open);
    await chain.client.mine({ blocks: 2 });
    await until(async () => (await readRound()).sealedCount === 1);
    if ("redis" in connection) await forgetEverything(connection.redis); // costs time and nothing else
    await endPhase();
    await until(async () => (await readRound()).published === 1);
    for (const part of parts) {
      part.kill("SIGTERM");
      assert.equal((await part.ended).code, 0, part.soFar());
    }
    await backend.close();
  });

  test("leaves no process behind at Ctrl-C", async () => {
    const worker = await start("trainer");
    await until(async () => worker.soFar().includes("log and status in"));
    const below = await descendants(worker.pid);
    worker.kill("SIGINT");
    assert.equal((await worker.ended).code, 130);
    await until(async () => below.every((pid) => !isAlive(pid)));
  });

  test("says in one sentence what is wrong, with the exit code of its kind", async () => {
    const { privateKey } = operatorOf("trainer");
    const file = await configure("wrong");
    const good = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    const other = operatorOf("validator").address;
    const cases: [changes: Record<string, unknown>, code: number, message: RegExp][] = [
      [{ chainId: 5 }, 4, /The deployment is of chain 31337, but chain 5 is configured/],
      [{ rpcUrls: ["http://127.0.0.1:9"] }, 5, /No server of the chain answers/],
      [{ task: "9" }, 4, /there is no task 9/],
      [{ manifest: tiny.model }, 3, /manifest .* cannot be read/],
      [{ model: folder }, 3, /config\.json cannot be read/],
      [
        { operator: other },
        2,
        /The key is .*'s, but the configuration is of the operator .*: to sign for it, name the file of its secret/,
      ],
      [{ deployment: "nowhere.json" }, 3, /nowhere\.json cannot be read/],
    ];
    for (const [changes, code, message] of cases) {
      await writeFile(file, JSON.stringify({ ...good, operator: operatorOf("trainer").address, ...changes }));
      const ran = await flockctl(["worker", "--config", file], { OPERATOR_KEY: privateKey });
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, message);
      assert.equal(ran.stderr.trimEnd().split("\n").length, 1, ran.stderr);
    }
  });
});

async function forgetEverything(url: string): Promise<void> {
  const redis = new Redis(url.replace(/^unix:\/\//, ""));
  await redis.flushall();
  redis.disconnect();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
