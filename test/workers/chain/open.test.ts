import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { readEvents } from "../../../workers/chain/logs.ts";
import { type OpenChainParameters, openChain } from "../../../workers/chain/open.ts";
import { readRound } from "../../../workers/chain/round.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { lost, type RpcProxy, startRpcProxy } from "../../support/rpcProxy.ts";

let local: LocalChain;
let proxy: RpcProxy;
let right: OpenChainParameters;
before(async () => {
  local = await startLocalChain();
  proxy = await startRpcProxy(local.url);
  right = { rpcUrls: [local.url], chainId: local.chainId, deployment: local.deployment };
});
after(async () => {
  await proxy.close();
  await local.stop();
});

const refuses = (
  parameters: Partial<OpenChainParameters>,
  kind: typeof PassingError | typeof PermanentError,
  message: RegExp,
) =>
  assert.rejects(openChain({ ...right, ...parameters }), (error: Error) => {
    assert.ok(error instanceof kind, `${error.name}: ${error.message}`);
    assert.match(error.message, message);
    return true;
  });

test("knows its chain by id and genesis", async () => {
  const chain = await openChain(right);
  assert.equal(chain.chainId, 31337);
  assert.equal(chain.genesis, (await local.client.getBlock({ blockNumber: 0n })).hash);
});

test("error: a server of another chain is refused and both ids are named", async () => {
  proxy.meddle = async ({ method }, forward) => (method === "eth_chainId" ? "0x1" : forward());
  await refuses(
    { rpcUrls: [proxy.url] },
    PermanentError,
    /^The server http:\/\/127.* is of chain 1, but chain 31337 is configured/,
  );
  await refuses({ rpcUrls: [local.url, proxy.url] }, PermanentError, /is of chain 1, but chain 31337/);
  proxy.meddle = (_request, forward) => forward();
  await refuses(
    { deployment: { ...local.deployment, chainId: 5 } },
    PermanentError,
    /^The deployment is of chain 5, but chain 31337 is configured/,
  );
});

test("error: two chains of one id are told apart", async () => {
  proxy.meddle = async ({ method, params }, forward) => {
    const answer = await forward();
    return method === "eth_getBlockByNumber" && params[0] === "0x0"
      ? { ...(answer as object), hash: `0x${"99".repeat(32)}` }
      : answer;
  };
  await refuses({ rpcUrls: [local.url, proxy.url] }, PermanentError, /are of two different chains with the id 31337/);
  proxy.meddle = (_request, forward) => forward();
});

test("error: a chain that does not answer is passing, and the account with its provider is not shown", async () => {
  await refuses(
    { rpcUrls: ["http://127.0.0.1:9/v3/hidden"] },
    PassingError,
    /^No server of the chain answers \(http:\/\/127\.0\.0\.1:9\)/,
  );
});

test("one server that is down does not matter while another answers", async () => {
  const chain = await openChain({ ...right, rpcUrls: ["http://127.0.0.1:9", local.url] });
  assert.ok((await chain.client.getBlockNumber()) > 0n);
});

test("error: contracts that are not there are missed at once", async () => {
  const nowhere = "0x0000000000000000000000000000000000000123";
  const addresses = { ...local.deployment.addresses, Rounds: nowhere } as const;
  await refuses(
    { deployment: { ...local.deployment, addresses } },
    PermanentError,
    /There is no contract at 0x0{37}123 on chain 31337/,
  );
});

test("error: a task that is not there, and a chain that goes away", async () => {
  const chain = await openChain({ ...right, rpcUrls: [proxy.url] });
  await assert.rejects(readRound(chain, 7n, local.deployment.addresses.Rounds), (error: Error) => {
    assert.ok(error instanceof PermanentError);
    assert.equal(error.message, "The contracts refuse reading task 7: there is no task 7.");
    return true;
  });
  proxy.meddle = async () => {
    throw lost;
  };
  await assert.rejects(readRound(chain, 7n, local.deployment.addresses.Rounds), (error: Error) => {
    assert.ok(error instanceof PassingError);
    assert.match(error.message, /^The chain does not answer while reading task 7/);
    return true;
  });
  proxy.meddle = (_request, forward) => forward();
});

test("reads logs in pieces where a server refuses wide ranges", async () => {
  const wide: string[] = [];
  proxy.meddle = async ({ method, params }, forward) => {
    if (method !== "eth_getLogs") return forward();
    const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
    if (Number(toBlock) - Number(fromBlock) < 5) return forward();
    wide.push(toBlock);
    throw new Error("query returned more than the allowed blocks");
  };
  const chain = await openChain({ ...right, rpcUrls: [proxy.url] });
  const { TaskRegistry } = local.deployment.addresses;
  await local.client.mine({ blocks: 30 });
  const query = { contract: "FlockToken", event: "Transfer", fromBlock: 0n } as const;
  const logs = await readEvents(chain, { ...query, toBlock: await local.client.getBlockNumber() });
  assert.equal(logs.length, 1, "the minting of all tokens");
  assert.ok(wide.length > 0);
  assert.notEqual(logs[0]?.address.toLowerCase(), TaskRegistry.toLowerCase());
  proxy.meddle = (_request, forward) => forward();
});
