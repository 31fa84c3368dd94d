import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type Abi,
  type Account,
  type Address,
  bytesToHex,
  createTestClient,
  getAddress,
  type Hex,
  http,
  type PublicActions,
  publicActions,
  type TestClient,
  type Transport,
  type WalletActions,
  walletActions,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import type { ContractName, Deployment } from "../../protocol/deployment.ts";
import { startGuarded } from "../../workers/processes/guardedChild.ts";

export type TestAccount = { address: Address; privateKey: Hex };

type Client = TestClient<"hardhat", Transport, typeof hardhat, Account> &
  PublicActions<Transport, typeof hardhat, Account> &
  WalletActions<typeof hardhat, Account>;

export type LocalChain = {
  url: string;
  chainId: number;
  deployment: Deployment;
  /** Twenty rich accounts. The first one deployed the contracts and holds all tokens. */
  accounts: TestAccount[];
  /** Reads, writes as the first account, and moves the clock. */
  client: Client;
  /** Lets chain time pass: the next block comes `seconds` after the last one. */
  pass(seconds: number): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Starts `hardhat node` on a free port with the contracts deployed. A transaction makes a block at once; no block comes by
 * itself. The chain ends with this process, however that ends.
 */
export async function startLocalChain(): Promise<LocalChain> {
  const dir = await mkdtemp(join(tmpdir(), "flock-chain-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const hardhatFolder = dirname(createRequire(import.meta.url).resolve("hardhat/package.json"));
  const child = await startGuarded({
    command: process.execPath,
    args: [join(hardhatFolder, "dist/src/cli.js"), "node", "--hostname", "127.0.0.1", "--port", String(port)],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    log: join(dir, "node.log"),
  });
  const accounts = testAccounts();
  const client: Client = createTestClient({
    mode: "hardhat",
    chain: hardhat,
    transport: http(url, { retryCount: 0 }),
    account: mnemonicToAccount(MNEMONIC),
    cacheTime: 0,
    pollingInterval: 20,
  })
    .extend(publicActions)
    .extend(walletActions);
  while (!(await client.getChainId().catch(() => undefined))) {
    if (child.ended()) throw new Error(`hardhat node ended: ${await readFile(join(dir, "node.log"), "utf8")}`);
    await sleep(50);
  }
  return {
    url,
    chainId: hardhat.id,
    deployment: await deploy(client),
    accounts,
    client,
    async pass(seconds) {
      const { timestamp } = await client.getBlock();
      await client.setNextBlockTimestamp({ timestamp: timestamp + BigInt(seconds) });
      await client.mine({ blocks: 1 });
    },
    async stop() {
      await child.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const MNEMONIC = "test test test test test test test test test test test junk";

function testAccounts(): TestAccount[] {
  return Array.from({ length: 20 }, (_, addressIndex) => {
    const account = mnemonicToAccount(MNEMONIC, { addressIndex });
    return { address: account.address, privateKey: bytesToHex(account.getHdKey().privateKey as Uint8Array) };
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Deploys in the order in which the contracts depend on each other, and closes the back-links. */
async function deploy(client: Client): Promise<Deployment> {
  const block = Number(await client.getBlockNumber()) + 1;
  const put = async (name: ContractName, args: unknown[]): Promise<Address> => {
    const { abi, bytecode } = await artifact(name);
    const hash = await client.deployContract({ abi, bytecode, args });
    return getAddress((await client.waitForTransactionReceipt({ hash })).contractAddress as Address);
  };
  const bind = async (name: ContractName, address: Address, args: unknown[]) => {
    const { abi } = await artifact(name);
    const hash = await client.writeContract({ abi, address, functionName: "bind", args });
    await client.waitForTransactionReceipt({ hash });
  };
  const FlockToken = await put("FlockToken", [client.account.address]);
  const BlockhashBeacon = await put("BlockhashBeacon", []);
  const TaskRegistry = await put("TaskRegistry", []);
  const Staking = await put("Staking", [FlockToken, TaskRegistry]);
  const Rounds = await put("Rounds", [TaskRegistry, Staking, BlockhashBeacon]);
  const ValidatorVoting = await put("ValidatorVoting", [Rounds]);
  const RewardDistributor = await put("RewardDistributor", [TaskRegistry, Staking, Rounds, ValidatorVoting]);
  await bind("TaskRegistry", TaskRegistry, [RewardDistributor]);
  await bind("Staking", Staking, [Rounds, RewardDistributor]);
  await bind("Rounds", Rounds, [ValidatorVoting, RewardDistributor]);
  return {
    chainId: client.chain.id,
    block,
    addresses: { FlockToken, BlockhashBeacon, TaskRegistry, Staking, Rounds, ValidatorVoting, RewardDistributor },
  };
}

async function artifact(name: ContractName): Promise<{ abi: Abi; bytecode: Hex }> {
  const file = new URL(`../../artifacts/contracts/${name}.sol/${name}.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8"));
}
