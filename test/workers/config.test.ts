import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { parseRoles, readAccountConfig, readConfig } from "../../workers/config.ts";

const least = {
  rpcUrls: ["http://127.0.0.1:8545"],
  chainId: 31337,
  deployment: "deployment.json",
  task: 1,
  operator: "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
  key: { env: "OPERATOR_KEY" },
  manifest: "../manifest.json",
  model: "/models/base",
  data: { public: "public", train: "mine" },
};

describe("the operator's configuration", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-config-"));
  });
  after(() => rm(folder, { recursive: true }));

  async function read(config: unknown) {
    const file = join(folder, "operator.json");
    await writeFile(file, typeof config === "string" ? config : JSON.stringify(config));
    return readConfig(file);
  }
  async function refusal(config: unknown): Promise<string> {
    try {
      await read(config);
    } catch (error) {
      assert.ok(error instanceof PermanentError);
      assert.equal(error.exitCode, ExitCode.usage);
      return error.message;
    }
    assert.fail("it was read");
  }

  test("fills in the defaults", async () => {
    const config = await read(least);
    assert.equal(config.task, 1n);
    assert.equal(config.operator, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    assert.equal(config.compute.device, "cpu");
    assert.equal(config.store.host, "127.0.0.1");
    assert.equal(config.store.allowLoopback, false);
    assert.equal(config.pollSeconds, 5);
  });

  test("resolves relative paths against the file's folder", async () => {
    const config = await read(least);
    assert.equal(config.deployment, join(folder, "deployment.json"));
    assert.equal(config.manifest, join(folder, "../manifest.json"));
    assert.equal(config.model, "/models/base");
    assert.equal(config.data.train, join(folder, "mine"));
    assert.equal(config.data.private, undefined);
    assert.equal(config.work, join(folder, "work"));
    assert.equal(config.store.dir, join(folder, "store"));
  });

  test("refuses an unknown key, at the top and below", async () => {
    assert.match(await refusal({ ...least, rounds: 3 }), /unknown key "rounds"/);
    assert.match(await refusal({ ...least, store: { size: 1 } }), /unknown key "size" in "store"/);
  });

  test("lets a verb that only signs do without model and data", async () => {
    const { manifest: _, model: __, data: ___, ...account } = least;
    assert.match(await refusal(account), /"manifest"/);
    const file = join(folder, "delegator.json");
    await writeFile(file, JSON.stringify({ ...account, secret: "keys/secret", key: { keystore: "keys/k.json" } }));
    const config = await readAccountConfig(file);
    assert.equal(config.model, undefined);
    assert.equal(config.secret, join(folder, "keys/secret"));
    assert.deepEqual(config.key, { keystore: join(folder, "keys/k.json"), passwordFile: undefined });
  });

  test("says whether to accuse absent voters: never, always, or at what worth of a token", async () => {
    assert.equal((await read(least)).accuse, false);
    for (const accuse of [true, 0.0004]) assert.equal((await read({ ...least, accuse })).accuse, accuse);
    for (const accuse of [-1, 0, "yes"])
      assert.match(await refusal({ ...least, accuse }), /"accuse": must be true, false, or what/);
  });

  test("says one sentence for each wrong field", async () => {
    const message = await refusal({ ...least, operator: "bob", rpcUrls: ["ftp://somewhere"], pollSeconds: 0 });
    const lines = message.split("\n");
    assert.equal(lines.length, 3);
    assert.match(message, /"rpcUrls\.0": must be a URL/);
    assert.match(message, /"operator": must be an address/);
    assert.match(message, /"pollSeconds"/);
  });

  test("takes no key itself", async () => {
    assert.match(await refusal({ ...least, key: `0x${"1".repeat(64)}` }), /a key itself never stands here/);
    assert.match(await refusal({ ...least, key: { private: "0x1" } }), /a key itself never stands here/);
  });

  test("names a file that is not there or not JSON", async () => {
    await assert.rejects(readConfig(join(folder, "none.json")), /none\.json cannot be read/);
    assert.match(await refusal("{"), /operator\.json is not JSON: see line 1, column 2/);
  });
});

describe("roles", () => {
  test("are a list of known names", () => {
    assert.deepEqual(parseRoles("sender, scheduler"), ["scheduler", "sender"]);
    assert.throws(() => parseRoles("scheduler,miner"), /There is no role "miner"; the roles are/);
  });
});
