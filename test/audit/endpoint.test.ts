import assert from "node:assert/strict";
import { after, test } from "node:test";
import { encodeFunctionData, type Hex, numberToHex } from "viem";
import { readLogs } from "../../audit/readLogs.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { replayEvents } from "../../protocol/replay/apply.ts";
import { startFlockChain } from "../support/flockChain.ts";
import { addressOf } from "../support/words.ts";

const chain = await startFlockChain();
after(() => chain.close());
const { client, deployment } = chain;

test("an endpoint of 200 bytes that are no UTF-8 ends no audit", async () => {
  const from = addressOf(0xbad);
  await chain.request("hardhat_impersonateAccount", [from]);
  await chain.request("hardhat_setBalance", [from, numberToHex(10n ** 20n)]);
  const normal = encodeFunctionData({ abi: abis.Staking, functionName: "announce", args: ["x".repeat(200)] });
  const data = (normal.slice(0, 10) + normal.slice(10).replaceAll("78", "ff")) as Hex;
  await chain.request("eth_sendTransaction", [
    { from, to: deployment.addresses.Staking, data, gas: numberToHex(1_000_000) },
  ]);
  const toBlock = await client.getBlockNumber({ cacheTime: 0 });
  const events = await readLogs(client, { deployment, toBlock });
  assert.equal(events.length, 1);
  replayEvents(deployment, events);
});
