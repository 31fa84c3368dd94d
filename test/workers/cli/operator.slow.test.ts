import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readHeader } from "../../../learning/artifact/safetensors.ts";
import { type LocalChain, startLocalChain, type TestAccount } from "../../support/localChain.ts";
import { FLK } from "../../support/terms.ts";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";
import { flockctl, openWorkerTask, writeAccountConfig, writeOperatorConfig } from "../../support/workerTask.ts";

describe("flockctl for an operator", () => {
  let folder: string;
  let tiny: TinyTask;
  let chain: LocalChain;
  let file: string;
  let delegatorFile: string;
  let operator: TestAccount;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-cli-"));
    tiny = await makeTinyTask(folder);
    chain = await startLocalChain();
    operator = chain.accounts[1] as TestAccount;
    const task = await openWorkerTask(chain, tiny.digest);
    file = await writeOperatorConfig(join(folder, "own"), { chain, task, tiny, operator: operator.address });
    delegatorFile = await writeAccountConfig(join(folder, "other"), { chain, task, operator: operator.address });
  });
  after(async () => {
    await chain.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (verb: string, ...args: string[]) =>
    flockctl([verb, "--config", file, ...args], { OPERATOR_KEY: operator.privateKey });
  const json = async (verb: string, ...args: string[]) => {
    const { code, stdout, stderr } = await run(verb, "--json", ...args);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const nonce = () => chain.client.getTransactionCount({ address: operator.address });

  test("signs nothing where nobody says yes, but says what it would do and cost", async () => {
    const before = await nonce();
    const { code, stderr } = await run("stake", "--role", "trainer", "--amount", "150");
    assert.equal(code, 2);
    assert.match(stderr, /stake\t150 FLK as a trainer of task 1/);
    assert.match(stderr, /cost\t2 transactions, about [\d,]+ gas, at most [\d.]+ ETH/);
    assert.match(stderr, /add --yes to sign it/);
    assert.equal(await nonce(), before);
  });

  test("stakes once for one word, however often it is said", async () => {
    const staked = await json("stake", "--role", "trainer", "--amount", "150", "--yes", "--id", "first");
    assert.match(staked.transaction, /^0x[0-9a-f]{64}$/);
    const before = await nonce();
    await json("stake", "--role", "trainer", "--amount", "150", "--yes", "--id", "first");
    assert.equal(await nonce(), before);
    const { checks } = await json("doctor");
    const chain = checks.find(({ name }: { name: string }) => name === "chain");
    assert.match(chain.found, /task 1 is of this manifest/);
    const status = await json("status");
    assert.equal(status.account.active, String(150n * FLK));
    assert.equal(status.role, 0);
    assert.equal(status.worker, null);
  });

  test("is delegated to, at a commission that it named before", async () => {
    const shown = await json("accept-delegation", "--commission", "12.5", "--yes");
    assert.equal(shown.commissionBps, 1250);
    const { privateKey, address } = chain.accounts[3] as TestAccount;
    const delegator = (verb: string, ...args: string[]) =>
      flockctl([verb, "--config", delegatorFile, "--json", ...args], { OPERATOR_KEY: privateKey });
    const done = async (verb: string, ...args: string[]) => {
      const { code, stdout, stderr } = await delegator(verb, ...args);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    };
    const asked = await delegator("delegate", "--amount", "40");
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /delegate\t40 FLK to 0x\w+ in task 1/);
    assert.match(asked.stderr, /commission\t12\.5 % of your rewards/);
    assert.match(asked.stderr, /no more than 1350 FLK count/);
    await done("delegate", "--amount", "40", "--yes", "--id", "once");
    await done("delegate", "--amount", "40", "--yes", "--id", "once");
    const status = await json("status", "--owner", address);
    assert.equal(status.delegated.active, String(40n * FLK));
    assert.equal(status.position.active, String(40n * FLK));
    const frozen = await run("accept-delegation", "--commission", "50", "--yes");
    assert.match(frozen.stderr, /its commission is frozen/);

    assert.equal((await done("claim", "--yes")).amount, "0");
    await done("exit", "--all", "--yes");
    const early = await delegator("withdraw", "--yes");
    assert.match(early.stderr, /the stake is locked until/);
    await chain.pass(8 * 24 * 3600);
    assert.equal((await done("withdraw", "--yes")).amount, String(40n * FLK));
    const none = await delegator("exit", "--all", "--yes");
    assert.match(none.stderr, /has nothing staked delegated to 0x\w+ in task 1/);
  });

  test("tells the contracts' refusal in one sentence", async () => {
    const { code, stderr } = await run("stake", "--role", "validator", "--amount", "1", "--yes");
    assert.equal(code, 4);
    assert.match(stderr, /The contracts refuse to stake: the operator is a Trainer of this task/);
    const rich = await run("stake", "--role", "trainer", "--amount", "100000", "--yes");
    assert.equal(rich.code, 4);
  });

  test("leaves with part, waits for the unbonding period, and withdraws", async () => {
    await json("exit", "--amount", "50", "--yes");
    const early = await run("withdraw", "--yes");
    assert.equal(early.code, 4);
    assert.match(early.stderr, /the stake is locked until/);
    await chain.pass(8 * 24 * 3600);
    const withdrawn = await json("withdraw", "--yes");
    assert.equal(withdrawn.amount, String(50n * FLK));
    const { account } = await json("status");
    assert.equal(account.active, String(100n * FLK));
    assert.equal(account.left, "0");
  });

  test("has nothing to claim before it has earned", async () => {
    const { code, stdout } = await run("claim", "--yes");
    assert.equal(code, 0);
    assert.equal(stdout, "There is nothing to claim.\n");
  });

  test("names wrong amounts, roles and tasks before anything else", async () => {
    const cases: [args: string[], message: RegExp][] = [
      [["stake", "--role", "king", "--amount", "1"], /--role must be trainer or validator/],
      [["stake", "--role", "trainer", "--amount", "much"], /--amount must be a number of tokens/],
      [["exit"], /either --amount or --all/],
      [["status", "--task", "0"], /--task must be the number of a task/],
      [["stake", "--amount", "1"], /Say with --role whether to stake as a trainer or as a validator/],
      [["accept-delegation", "--commission", "101"], /--commission must be a percentage from 0 to 100/],
      [["delegate", "--operator", "bob", "--amount", "1"], /--operator must be an address/],
      [["reveal", "--round", "0"], /--round must be the number of a round/],
    ];
    for (const [[verb, ...args], message] of cases) {
      const { code, stderr } = await run(verb as string, ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
    const unknown = await run("status", "--task", "7");
    assert.equal(unknown.code, 4);
    assert.match(unknown.stderr, /there is no task 7/);
  });

  test("is closed by nobody while rounds are to come, but by its creator's notice", async () => {
    const creator = (verb: string, ...args: string[]) =>
      flockctl([verb, "--config", delegatorFile, ...args], {
        OPERATOR_KEY: (chain.accounts[0] as TestAccount).privateKey,
      });
    const early = await run("close", "--yes");
    assert.equal(early.code, 4);
    assert.match(early.stderr, /task 1 has rounds to come/);
    const stranger = await run("close", "--notice", "--yes");
    assert.equal(stranger.code, 2);
    assert.match(stranger.stderr, /Only its creator 0x\w+ gives notice of task 1/);
    const notice = await creator("close", "--notice", "--yes");
    assert.equal(notice.code, 0, notice.stderr);
    assert.match(notice.stdout, /Task 1 may be closed from/);
    const burned = await run("sweep", "--yes");
    assert.equal(burned.stdout, "Nothing waits to be burned.\n");
  });

  test("exports head, adapter and lineage", async () => {
    const out = join(folder, "export");
    const exported = await json("export", "--out", out);
    assert.equal(exported.head, tiny.digest);
    assert.deepEqual((await readdir(out)).sort(), exported.files.toSorted());
    const lineage = JSON.parse(await readFile(join(out, "lineage.json"), "utf8"));
    assert.deepEqual(lineage.moves, []);
    assert.equal(lineage.digest, exported.digest);
    const { tensors } = readHeader(await readFile(join(out, "adapter_model.safetensors")));
    const shapes = Object.fromEntries(tensors.map(({ name, shape }) => [name, shape]));
    assert.deepEqual(shapes["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"], [4, 16]);
    assert.deepEqual(shapes["base_model.model.model.layers.0.mlp.down_proj.lora_B.weight"], [16, 4]);
    assert.equal(exported.merged, null);
  });

  test("exports the base with the adapter merged into it, once", async () => {
    const out = join(folder, "export-merged");
    const { merged } = await json("export", "--out", out, "--merged", "--float32");
    assert.equal(merged.folder, join(out, "merged"));
    assert.deepEqual(merged.dtypes, ["F32"]);
    assert.equal(merged.comparison.largest, 0, "the first head is the base");
    const again = await run("export", "--out", out, "--merged");
    assert.equal(again.code, 3);
    assert.match(again.stderr, /merged is there already/);
    const wrong = await run("export", "--out", out, "--float32");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--float32 is for --merged only/);
  });

  test("answers a prompt by base and head", async () => {
    const { base, head } = await json("generate", "--prompt", "<|math|>a3bC*d=", "--tokens", "4");
    assert.equal(typeof base, "string");
    assert.equal(head, base, "the first head is the base");
  });
});
