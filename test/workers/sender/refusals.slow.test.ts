import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { Role } from "../../../protocol/words.ts";
import { openChain } from "../../../workers/chain/open.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, type TestOperator } from "../../support/operators.ts";
import { lost, type RpcProxy, startRpcProxy } from "../../support/rpcProxy.ts";
import { until } from "../../support/until.ts";

let local: LocalChain;
let room: OperatorsRoom;
let proxy: RpcProxy;
let task: bigint;
let trainers: TestOperator[];
let validators: TestOperator[];
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  proxy = await startRpcProxy(local.url);
  ({ task, trainers, validators } = await room.staffedTask());
  await trainers[0]?.sender.send({ kind: "openRound", task, round: 1 });
  await local.client.mine({ blocks: 2 });
});
after(async () => {
  await room.close();
  await proxy.close();
  await local.stop();
});

beforeEach(() => {
  proxy.meddle = (_request, forward) => forward();
});

const artifact = `0x${"a1".repeat(32)}` as const;
const report = `0x${"b1".repeat(32)}` as const;
const head = `0x${"cc".repeat(20)}` as const;

test("error: an act of another round is refused before anything is signed", async () => {
  const [one] = trainers as [TestOperator];
  await assert.rejects(one.sender.send({ kind: "commitProposal", task, round: 2, artifact }), (error: Error) => {
    assert.ok(error instanceof PermanentError);
    assert.equal(error.message, "Nothing can be done in round 2 of task 1: round 1 is open.");
    return true;
  });
  await assert.rejects(
    one.sender.send({ kind: "openRound", task, round: 3 }),
    /Round 3 of task 1 cannot be opened: the next one is 2/,
  );
});

test("error: who has no seat is told so", async () => {
  const stranger = room.operator(9);
  await assert.rejects(stranger.sender.send({ kind: "commitProposal", task, round: 1, artifact }), (error: Error) => {
    assert.ok(error instanceof PermanentError);
    assert.match(error.message, /^The contracts refuse to commit proposal: 0x\w{40} has no seat in this round\.$/);
    return true;
  });
});

test("the end of sealing must be final before an opening goes out, but not for ever", async () => {
  const chain = await openChain({ rpcUrls: [proxy.url], chainId: local.chainId, deployment: local.deployment });
  const { sender } = room.operator(1, { chain });
  await sender.send({ kind: "commitProposal", task, round: 1, artifact });
  const finalAt = await local.client.getBlock();
  proxy.meddle = async ({ method, params }, forward) => {
    const answer = (await forward()) as { timestamp: string };
    if (method !== "eth_getBlockByNumber" || params[0] !== "finalized") return answer;
    return { ...answer, timestamp: `0x${finalAt.timestamp.toString(16)}` };
  };
  await local.pass(100);
  await assert.rejects(sender.send({ kind: "publishProposal", task, round: 1, artifact }), (error: Error) => {
    assert.ok(error instanceof PassingError);
    assert.match(error.message, /The end of sealing in round 1 of task 1 is not final yet: opening waits/);
    return true;
  });
  await local.pass(50);
  assert.deepEqual((await sender.send({ kind: "publishProposal", task, round: 1, artifact })).result, { slot: 0 });
});

test("error: a ballot that is not canonical is never sealed", async () => {
  const [one] = validators as [TestOperator];
  one.ballots.set(report, { scores: [5, 5], head });
  await assert.rejects(
    one.sender.send({ kind: "commitBallot", task, round: 1, report }),
    /cannot be sealed: lane 1 is 5, but only 1 proposals were published/,
  );
});

test("error: an act that was mined too late says why, and the next one works", async () => {
  const [one, two] = validators as [TestOperator, TestOperator];
  one.ballots.set(report, { scores: [5], head });
  await local.client.mine({ blocks: 1 }); // that the voters' seed waits for
  await local.client.setAutomine(false);
  const sending = one.sender.send({ kind: "commitBallot", task, round: 1, report });
  const entry = await until(() => {
    const newest = one.sender.newest(`commitBallot-${task}-1-${report.slice(2, 18)}`);
    return newest?.state === "broadcast" && newest;
  });
  await local.pass(150);
  await assert.rejects(sending, (error: Error) => {
    assert.ok(error instanceof PermanentError, error.message);
    assert.match(error.message, /refuse commitBallot-1-1-\w+ in block \d+: the phase of task 1 is \w+, not Ballot/);
    return true;
  });
  await local.client.setAutomine(true);
  const failed = one.sender.newest(entry.id);
  assert.equal(failed?.state, "failed");
  assert.match(failed?.error ?? "", /not Ballot/);
  await assert.rejects(
    two.sender.send({ kind: "revealBallot", task, round: 1 }),
    /No ballot was sealed in round 1 of task 1, so none can be revealed/,
  );
});

test("an act that somebody else was faster with counts as done", async () => {
  const [one, two] = trainers as [TestOperator, TestOperator];
  await local.pass(200);
  await local.client.setAutomine(false);
  const sending = [one, two].map(({ sender }) => sender.send({ kind: "settle", task, round: 1 }));
  await until(() => [one, two].every(({ sender }) => sender.newest(`settle-${task}-1`)?.state === "broadcast"));
  await local.client.mine({ blocks: 1 });
  const states = (await Promise.all(sending)).map(({ state }) => state).sort();
  assert.deepEqual(states, ["done", "final"]);
  await local.client.setAutomine(true);
  const { isVoid } = (
    await local.client.getContractEvents({
      address: local.deployment.addresses.RewardDistributor,
      abi: abis.RewardDistributor,
      eventName: "RoundSettled",
      fromBlock: 0n,
      strict: true,
    })
  )[0]!.args;
  assert.equal(isVoid, true);
});

test("error: an unreachable chain is passing and leaves nothing signed", async () => {
  const chain = await openChain({ rpcUrls: [proxy.url], chainId: local.chainId, deployment: local.deployment });
  const { sender } = room.operator(1, { chain });
  proxy.meddle = async () => {
    throw lost;
  };
  await assert.rejects(
    sender.send({ kind: "stake", id: "away", task, role: Role.Trainer, amount: 1n }),
    (error: Error) => {
      assert.ok(error instanceof PassingError);
      assert.match(error.message, /^The chain does not answer while /);
      return true;
    },
  );
  assert.equal(sender.newest("stake-away"), undefined);
});

test("a server that is late with receipts does not make an act happen twice", async () => {
  const chain = await openChain({ rpcUrls: [proxy.url], chainId: local.chainId, deployment: local.deployment });
  const { sender, address } = room.operator(1, { chain });
  await sender.send({ kind: "allow", id: "late", amount: 10n });
  const nonce = await local.client.getTransactionCount({ address });
  let hidden = 0;
  proxy.meddle = async ({ method, params }, forward) => {
    if (method === "eth_getTransactionCount" && params[1] === "finalized") return `0x${nonce.toString(16)}`;
    if (method !== "eth_getTransactionReceipt" || hidden >= 12) return forward();
    hidden += 1;
    return null;
  };
  const sent = await sender.send({ kind: "stake", id: "late", task, role: Role.Trainer, amount: 10n });
  assert.equal(sent.state, "final");
  assert.equal(hidden, 12);
  assert.equal(await local.client.getTransactionCount({ address }), nonce + 1);
});

test("what was done on one chain does not count on another with the same accounts", async () => {
  const { sender } = room.operator(1);
  assert.equal(sender.newest("stake-late")?.state, "final");
  const chain = { ...room.chain, genesis: `0x${"99".repeat(32)}` } as const;
  assert.equal(room.operator(1, { chain }).sender.newest("stake-late"), undefined);
});
