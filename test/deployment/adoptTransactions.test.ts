import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { network } from "hardhat";
import { type Address, createPublicClient, custom, type Hash, numberToHex, type PublicClient } from "viem";
import { adoptTransactions } from "../../ignition/tasks/adoptTransactions.ts";
import { confirmOvertaken } from "../../ignition/tasks/confirmOvertaken.ts";

const to = "0x00000000000000000000000000000000000000aa";
const data = "0x1234";
const zero = { _kind: "bigint", value: "0" };

type Request = (method: string, params?: unknown[]) => Promise<unknown>;

/** A chain, one account on it, and the journal of a deployment whose steps each call `to` with `data`. */
async function makeChain(t: TestContext) {
  const connection = await network.create();
  t.after(() => connection.close());
  const request: Request = (method, params = []) => connection.provider.request({ method, params });
  const [from = "0x"] = (await request("eth_accounts")) as Address[];
  const dir = await mkdtemp(join(tmpdir(), "flock-adopt-"));
  t.after(() => rm(dir, { recursive: true }));
  const file = join(dir, "journal.jsonl");
  return {
    dir,
    request,
    client: clientOf(request),
    /** Sends what a step sends, or something else. */
    send: async (nonce: number, other: object = {}) =>
      (await request("eth_sendTransaction", [{ from, to, data, nonce: numberToHex(nonce), ...other }])) as Hash,
    async write(entries: object[]) {
      await writeFile(file, [{ type: "DEPLOYMENT_INITIALIZE", chainId: 31337 }, ...entries].map(line).join(""));
    },
    /** A step as Ignition notes it: what it wants, and then for each hash that it sent it; "lost" if it noted no hash. */
    step(nonce: number, ...hashes: string[]): object[] {
      const futureId = `M#Step${nonce}`;
      const of = { futureId, networkInteractionId: 1, nonce };
      return [
        { type: "CALL_EXECUTION_STATE_INITIALIZE", futureId, from },
        {
          type: "NETWORK_INTERACTION_REQUEST",
          futureId,
          networkInteraction: { id: 1, type: "ONCHAIN_INTERACTION", to, data, value: zero },
        },
        ...hashes.flatMap((hash) => [
          { type: "TRANSACTION_PREPARE_SEND", ...of },
          ...(hash === "lost" ? [] : [{ type: "TRANSACTION_SEND", ...of, transaction: { hash, fees: {} } }]),
        ]),
      ];
    },
    /** Type and hash of the entries that tell of sending. */
    async sendings() {
      const lines = (await readFile(file, "utf8")).split("\n").filter((text) => text !== "");
      const entries = lines.map((text) => JSON.parse(text));
      const sendings = entries.filter(({ type }) => /^TRANSACTION/.test(type));
      return sendings.map(({ type, transaction }) => transaction?.hash ?? type);
    },
  };
}

const line = (entry: object) => `\n${JSON.stringify(entry)}`;
const clientOf = (request: Request): PublicClient =>
  createPublicClient({ transport: custom({ request: ({ method, params }) => request(method, params) }) });
const unknown = `0x${"ab".repeat(32)}`;

test("a transaction that arrived but was not noted is noted, with its fees, however long ago", async (t) => {
  const { dir, client, request, send, write, step, sendings } = await makeChain(t);
  await send(0, { data: "0x" });
  const hash = await send(1, { maxFeePerGas: numberToHex(9e9), maxPriorityFeePerGas: "0x7" });
  for (const blocks of [0, 1, 5, 40]) {
    // One by one: the chain's shortcut for many has no state in between.
    for (let i = 0; i < blocks; i++) await request("evm_mine");
    await write(step(1, "lost"));
    assert.deepEqual(await adoptTransactions(dir, client), [
      `The transaction of M#Step1 with nonce 1 had arrived before the break: ${hash}.`,
    ]);
    assert.deepEqual(await sendings(), ["TRANSACTION_PREPARE_SEND", hash]);
    const last = (await readFile(join(dir, "journal.jsonl"), "utf8")).split("\n").at(-1) ?? "";
    assert.deepEqual(JSON.parse(last).transaction.fees, {
      maxFeePerGas: { _kind: "bigint", value: "9000000000" },
      maxPriorityFeePerGas: { _kind: "bigint", value: "7" },
    });
  }
});

test("a transaction that waits in the pool is noted", async (t) => {
  const { dir, client, request, send, write, step, sendings } = await makeChain(t);
  await request("evm_setAutomine", [false]);
  const hash = await send(0);
  await write(step(0, "lost"));
  await adoptTransactions(dir, client);
  assert.deepEqual(await sendings(), ["TRANSACTION_PREPARE_SEND", hash]);
});

test("a transaction that waits where the server does not show it is noted when it has its block", async (t) => {
  const { dir, request, send, write, step, sendings } = await makeChain(t);
  await request("evm_setAutomine", [false]);
  const hash = await send(0);
  let isMined = false;
  const discreet = clientOf(async (method, params) => {
    if (method !== "eth_getBlockByNumber" || params?.[0] !== "pending") return request(method, params);
    if (!isMined) await request("hardhat_mine");
    isMined = true;
    throw new Error("pending is not available");
  });
  await write(step(0, "lost"));
  await adoptTransactions(dir, discreet);
  assert.deepEqual([isMined, await sendings()], [true, ["TRANSACTION_PREPARE_SEND", hash]]);
});

test("a transaction whose raised fee was not noted is noted beside the first", async (t) => {
  const { dir, client, send, write, step, sendings } = await makeChain(t);
  const hash = await send(0);
  await write(step(0, unknown, "lost"));
  await adoptTransactions(dir, client);
  assert.deepEqual(await sendings(), ["TRANSACTION_PREPARE_SEND", unknown, "TRANSACTION_PREPARE_SEND", hash]);
});

test("a transaction that the chain knows is left as it is noted", async (t) => {
  const { dir, client, send, write, step, sendings } = await makeChain(t);
  const hash = await send(0);
  await write(step(0, hash));
  assert.deepEqual(await adoptTransactions(dir, client), []);
  assert.deepEqual(await sendings(), ["TRANSACTION_PREPARE_SEND", hash]);
});

for (const [what, hashes] of [
  ["never left", ["lost"]],
  ["was lost by the server", [unknown]],
] as const) {
  test(`a transaction that ${what} is forgotten, and no other`, async (t) => {
    const { dir, client, send, write, step, sendings } = await makeChain(t);
    const first = await send(0);
    await write([...step(0, first), ...step(1, ...hashes)]);
    assert.deepEqual(await adoptTransactions(dir, client), [
      "The transaction of M#Step1 with nonce 1 had not arrived before the break: it is sent now.",
    ]);
    assert.deepEqual(await sendings(), ["TRANSACTION_PREPARE_SEND", first]);
  });
}

test("a transaction whose nonce went to another is forgotten if it was not noted, else left for Ignition to see", async (t) => {
  const { dir, client, send, write, step, sendings } = await makeChain(t);
  await send(0, { data: "0x99" });
  await write(step(0, "lost"));
  await adoptTransactions(dir, client);
  assert.deepEqual(await sendings(), []);

  await write(step(0, unknown));
  assert.deepEqual(await adoptTransactions(dir, client), []);
  assert.deepEqual(await sendings(), ["TRANSACTION_PREPARE_SEND", unknown]);
});

test("a lost transaction that a later one waits for is left, for it needs the same nonce", async (t) => {
  const { dir, client, request, send, write, step, sendings } = await makeChain(t);
  await request("evm_setAutomine", [false]);
  const later = await send(1);
  await write([...step(0, unknown), ...step(1, later)]);
  assert.deepEqual(await adoptTransactions(dir, client), []);
  assert.deepEqual(await sendings(), ["TRANSACTION_PREPARE_SEND", unknown, "TRANSACTION_PREPARE_SEND", later]);
});

test("a transaction that a later, confirmed one has overtaken is confirmed, as Ignition notes it", async (t) => {
  const { dir, client, request, send, write, step } = await makeChain(t);
  const creating = { to: undefined, data: "0x60006000a05f5ff3" }; // an event without topics, and no code
  const hashes = [await send(0, creating), await send(1), await send(2)] as const;
  const confirmed = { type: "TRANSACTION_CONFIRM", futureId: "M#Step1", networkInteractionId: 1, hash: hashes[1] };
  await write([...step(0, unknown, hashes[0]), ...step(1, hashes[1]), confirmed, ...step(2, hashes[2])]);
  assert.deepEqual(await confirmOvertaken(dir, client), ["The transaction of M#Step0 with nonce 0 is confirmed."]);
  const { blockHash } = (await request("eth_getTransactionReceipt", [hashes[0]])) as { blockHash: string };
  const last = (await readFile(join(dir, "journal.jsonl"), "utf8")).split("\n").at(-1) ?? "";
  const contractAddress = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
  assert.deepEqual(JSON.parse(last), {
    futureId: "M#Step0",
    hash: hashes[0],
    networkInteractionId: 1,
    receipt: {
      blockHash,
      blockNumber: 1,
      contractAddress,
      logs: [{ address: contractAddress, data: "0x", logIndex: 0, topics: [] }],
      status: "SUCCESS",
    },
    type: "TRANSACTION_CONFIRM",
  });
  assert.deepEqual(await confirmOvertaken(dir, client), []);
});

test("a confirmed transaction and a wiped step are no concern", async (t) => {
  const { dir, client, write, step, sendings } = await makeChain(t);
  const confirmed = { type: "TRANSACTION_CONFIRM", futureId: "M#Step0", networkInteractionId: 1, hash: unknown };
  await write([...step(0, unknown), confirmed, ...step(1, unknown), { type: "WIPE_APPLY", futureId: "M#Step1" }]);
  assert.deepEqual(await adoptTransactions(dir, client), []);
  assert.equal((await sendings()).length, 5);
  assert.deepEqual(await adoptTransactions(join(dir, "nowhere"), client), []);
});
