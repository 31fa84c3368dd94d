import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { toHex } from "viem";
import { Phase } from "../../../protocol/words.ts";
import { openChain } from "../../../workers/chain/open.ts";
import { duties } from "../../../workers/scheduler/duties.ts";
import { openLook } from "../../../workers/scheduler/look.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom } from "../../support/operators.ts";
import { type RpcProxy, startRpcProxy } from "../../support/rpcProxy.ts";

let local: LocalChain;
let room: OperatorsRoom;
let proxy: RpcProxy;
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  proxy = await startRpcProxy(local.url);
});
after(async () => {
  await room.close();
  await proxy.close();
  await local.stop();
});

const artifact = `0x${"a1".repeat(32)}` as const;

/** The server knows the chain up to a block and nothing of what came since. */
function fallBehind(block: bigint): void {
  const newest = ["latest", "pending", "safe", "finalized"];
  proxy.meddle = async ({ method, params }, forward) => {
    if (method === "eth_blockNumber") return toHex(block);
    const at = params.findIndex((each) => newest.includes(each as string));
    if (method !== "eth_call" && method !== "eth_estimateGas" && at >= 0) params[at] = toHex(block);
    if (method === "eth_call" || method === "eth_estimateGas") params[1] = toHex(block);
    return forward();
  };
}

test("a worker whose server is 50 blocks behind waits, and does its duty once the server has caught up", async () => {
  const beforeStake = await local.client.getBlockNumber();
  const { task, trainers } = await room.staffedTask();
  const beforeRound = await local.client.getBlockNumber();
  await trainers[0]?.sender.send({ kind: "openRound", task, round: 1 });
  await local.client.mine({ blocks: 50 });

  const chain = await openChain({ rpcUrls: [proxy.url], chainId: local.chainId, deployment: local.deployment });
  const { address, sender } = room.operator(1, { chain });
  const look = openLook(chain, { task, operator: address });
  const own = { artifact, report: undefined, endpoint: undefined, setup: artifact };
  const dutiesNow = async () => {
    const { situation } = await look();
    return {
      phase: situation.phase,
      kinds: duties(situation, own).map((duty) => duty.kind === "send" && duty.intent.kind),
    };
  };

  fallBehind(beforeStake);
  await assert.rejects(look(), "the task is not there yet");
  fallBehind(beforeRound);
  // It knows of a stake and of no round: opening is due, proposing is not, and nobody's stake is too low.
  assert.deepEqual(await dutiesNow(), { phase: Phase.None, kinds: ["openRound"] });
  const intent = { kind: "commitProposal", task, round: 1, artifact } as const;
  const nonce = await local.client.getTransactionCount({ address });
  await assert.rejects(sender.send(intent));
  assert.equal(await local.client.getTransactionCount({ address }), nonce, "nothing was sent");

  proxy.meddle = (_request, forward) => forward();
  assert.deepEqual(await dutiesNow(), { phase: Phase.Propose, kinds: ["commitProposal"] });
  assert.match((await sender.send(intent)).state, /^(mined|final)$/, "what failed behind is tried again and succeeds");
});
