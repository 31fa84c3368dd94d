import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseTransaction, toHex, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { PassingError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { Role } from "../../../protocol/words.ts";
import { openChain } from "../../../workers/chain/open.ts";
import { type Intent, intentToJson } from "../../../workers/sender/intents.ts";
import { operatorKey } from "../../../workers/sender/key.ts";
import { openSender } from "../../../workers/sender/sender.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, shortTerms, type TestOperator } from "../../support/operators.ts";
import { lost, type RpcProxy, startRpcProxy } from "../../support/rpcProxy.ts";
import { until } from "../../support/until.ts";

const run = promisify(execFile);

let local: LocalChain;
let room: OperatorsRoom;
let proxy: RpcProxy;
let operator: TestOperator;
let task: bigint;
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  proxy = await startRpcProxy(local.url);
  operator = room.operator(0);
  const terms = { ...shortTerms, seatStake: 1n };
  const manifest = `0x${"ab".repeat(32)}` as const;
  const { result } = await operator.sender.send({ kind: "createTask", id: "task", terms, manifest });
  task = BigInt(result.task as string);
  // Allow once and for all, so that each act below is one transaction.
  await operator.sender.send({ kind: "allow", id: "all", amount: 10n ** 30n });
});
after(async () => {
  await room.close();
  await proxy.close();
  await local.stop();
});
beforeEach(async () => {
  await local.client.setAutomine(true);
  proxy.meddle = (_request, forward) => forward();
});

let count = 0;
/** A stake of one wei that is never the same one: twice would show. */
const stakeOnce = (): Intent & { kind: "stake" } => ({
  kind: "stake",
  id: `stake-${++count}`,
  task,
  role: Role.Trainer,
  amount: 1n,
});
const staked = async () =>
  (
    await local.client.readContract({
      address: local.deployment.addresses.Staking,
      abi: abis.Staking,
      functionName: "account",
      args: [task, operator.address],
    })
  ).active;
const nonce = () => local.client.getTransactionCount({ address: operator.address });
const inProcess = (intent: Intent, dieAt: "signed" | "broadcast" | "never") => {
  const { url, deployment } = local;
  const { privateKey } = operator.account;
  const parameters = { url, deployment, privateKey, dir: room.dir, intent: intentToJson(intent), dieAt };
  const script = fileURLToPath(new URL("../../support/senderProcess.ts", import.meta.url));
  return run(process.execPath, [script, JSON.stringify(parameters)]);
};
const asked = (method: string, params: unknown[]): Promise<unknown> =>
  local.client.request({ method, params } as never);
/** Runs the body and tells by how much stake and nonce grew. */
async function grown(body: () => Promise<void>): Promise<[stake: bigint, nonce: number]> {
  const [stakeBefore, nonceBefore] = [await staked(), await nonce()];
  await body();
  return [(await staked()) - stakeBefore, (await nonce()) - nonceBefore];
}

test("a process killed before it broadcast leaves bytes that the next one sends", async () => {
  const intent = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      await assert.rejects(inProcess(intent, "signed"), { signal: "SIGKILL" });
      const entry = operator.sender.newest(`stake-${intent.id}`);
      assert.equal(entry?.state, "signed");
      const sent = await operator.sender.send(intent);
      assert.equal(sent.state, "final");
      assert.equal(sent.hash, entry?.transactions[0]?.hash, "the same bytes");
    }),
    [1n, 1],
  );
});

test("a process killed after it broadcast is not followed by a second transaction", async () => {
  const intent = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      await local.client.setAutomine(false);
      await assert.rejects(inProcess(intent, "broadcast"), { signal: "SIGKILL" });
      const sending = operator.sender.send(intent);
      await until(async () => operator.sender.newest(`stake-${intent.id}`)?.state === "broadcast");
      await local.client.mine({ blocks: 1 });
      assert.equal((await sending).state, "final");
      await local.client.mine({ blocks: 1 });
    }),
    [1n, 1],
  );
});

test("what a killed process left unfinished is finished before anything else is signed", async () => {
  const first = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      await assert.rejects(inProcess(first, "signed"), { signal: "SIGKILL" });
      await operator.sender.send(stakeOnce());
      assert.equal(operator.sender.newest(`stake-${first.id}`)?.state, "final");
    }),
    [2n, 2],
  );
});

test("two processes that send the same intent have one effect, and two intents do not collide", async () => {
  const [same, other] = [stakeOnce(), stakeOnce()];
  assert.deepEqual(
    await grown(async () => {
      const sent = await Promise.all([same, same, other].map((intent) => inProcess(intent, "never")));
      for (const { stdout } of sent) assert.match(stdout, /^(final|done)/);
    }),
    [2n, 2],
  );
});

test("a stuck transaction pays more until it is mined, an eighth at least each time", async () => {
  const quick = room.operator(0, { raiseAfterMs: 60 });
  const intent = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      await local.client.setAutomine(false);
      const sending = quick.sender.send(intent);
      const forms = await until(() => {
        const transactions = quick.sender.newest(`stake-${intent.id}`)?.transactions ?? [];
        return transactions.length >= 4 && transactions;
      });
      const fees = forms.map(({ raw }) => parseTransaction(raw as `0x02${string}`));
      for (const [index, now] of fees.entries()) {
        const last = fees[index - 1];
        if (last === undefined) continue;
        assert.equal(now.nonce, last.nonce);
        assert.equal(now.data, last.data);
        assert.ok((now.maxFeePerGas as bigint) * 8n >= (last.maxFeePerGas as bigint) * 9n);
        assert.ok((now.maxPriorityFeePerGas as bigint) * 8n >= (last.maxPriorityFeePerGas as bigint) * 9n);
      }
      await local.client.mine({ blocks: 1 });
      assert.equal((await sending).state, "final");
    }),
    [1n, 1],
  );
});

test("a transaction that the servers forgot is sent again", async () => {
  const quick = room.operator(0, { raiseAfterMs: 200 });
  const intent = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      await local.client.setAutomine(false);
      const sending = quick.sender.send(intent);
      const hash = await until(() => {
        const entry = quick.sender.newest(`stake-${intent.id}`);
        return entry?.state === "broadcast" && entry.transactions[0]?.hash;
      });
      await local.client.dropTransaction({ hash });
      await local.client.setAutomine(true);
      assert.equal((await sending).state, "final");
    }),
    [1n, 1],
  );
});

test("an act whose nonce another wallet of the same key took is done under the next one", async () => {
  const intent = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      await local.client.setAutomine(false);
      const sending = operator.sender.send(intent);
      const entry = await until(() => {
        const newest = operator.sender.newest(`stake-${intent.id}`);
        return newest?.state === "broadcast" && newest;
      });
      await local.client.sendTransaction({
        to: zeroAddress,
        nonce: entry.nonce as number,
        maxFeePerGas: 10n ** 12n,
        maxPriorityFeePerGas: 10n ** 11n,
      });
      await local.client.mine({ blocks: 1 });
      await until(() => operator.sender.newest(`stake-${intent.id}`)?.seq !== entry.seq);
      await local.client.setAutomine(true);
      await local.client.mine({ blocks: 1 });
      assert.equal((await sending).state, "final");
    }),
    [1n, 2],
  );
});

test("an answer that was lost on the way does not lose or double the act", async () => {
  const chain = await openChain({ rpcUrls: [proxy.url], chainId: local.chainId, deployment: local.deployment });
  const { sender } = room.operator(0, { chain });
  const intent = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      proxy.meddle = async ({ method }, forward) => {
        if (method !== "eth_sendRawTransaction") return forward();
        await forward().catch(() => {});
        throw lost;
      };
      await assert.rejects(sender.send(intent), PassingError);
      proxy.meddle = (_request, forward) => forward();
      assert.equal((await sender.send(intent)).state, "final");
    }),
    [1n, 1],
  );
});

test("an act that a reorganisation undid is done again with the same bytes", async () => {
  const chain = await openChain({ rpcUrls: [proxy.url], chainId: local.chainId, deployment: local.deployment });
  const { sender } = room.operator(0, { chain });
  const finalAt = await local.client.getBlockNumber();
  // Finality stands still, as it does for minutes on a real chain.
  proxy.meddle = ({ method, params }, forward) =>
    method === "eth_getBlockByNumber" && params[0] === "finalized"
      ? asked("eth_getBlockByNumber", [toHex(finalAt), false])
      : forward();
  const intent = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      const snapshot = await local.client.snapshot();
      const sent = await sender.send(intent);
      assert.equal(sent.state, "mined", "not final yet");
      await local.client.revert({ id: snapshot });
      await local.client.mine({ blocks: 3 });
      await sender.resume();
      assert.equal(sender.newest(`stake-${intent.id}`)?.transactions.length, 1);
      assert.equal((await sender.send(intent)).hash, sent.hash);
    }),
    [1n, 1],
  );
  proxy.meddle = (_request, forward) => forward();
  await sender.resume();
  assert.equal(sender.newest(`stake-${intent.id}`)?.state, "final");
});

test("error: an account without ether says so, and goes on once it has some", async () => {
  const privateKey = generatePrivateKey();
  const { address } = privateKeyToAccount(privateKey);
  const key = operatorKey(privateKey, "a test");
  const sender = openSender({ chain: room.chain, key, dir: room.dir, pollMs: 20 });
  const intent: Intent = { kind: "announce", endpoint: "http://127.0.0.1:1" };
  await assert.rejects(sender.send(intent), (error: Error) => {
    assert.ok(error instanceof PassingError);
    assert.equal(error.message, `The account ${address} cannot pay for gas: send it some ether.`);
    return true;
  });
  await local.client.setBalance({ address, value: 10n ** 18n });
  await sender.resume();
  assert.equal((await sender.send(intent)).state, "done", "the bytes that waited have gone out");
  sender.close();
});

test("stops waiting when it is told to, and goes on later", async () => {
  const intent = stakeOnce();
  assert.deepEqual(
    await grown(async () => {
      await local.client.setAutomine(false);
      const stop = new AbortController();
      const sending = operator.sender.send(intent, { signal: stop.signal });
      await until(() => operator.sender.newest(`stake-${intent.id}`)?.state === "broadcast");
      stop.abort();
      await assert.rejects(sending, { name: "AbortError" });
      await local.client.setAutomine(true);
      await local.client.mine({ blocks: 1 });
      assert.equal((await operator.sender.send(intent)).state, "final");
    }),
    [1n, 1],
  );
});
