import hre, { network } from "hardhat";
import {
  type Abi,
  type AbiFunction,
  type Address,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  type Hex,
  type Log,
  maxUint256,
  numberToHex,
  type PublicClient,
} from "viem";
import { type ContractName, contractNames, type Deployment } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";

/** When these chains begin, seconds since 1970: far from today, so that nothing depends on it. */
const START = 2_000_000_000;

/** What a mined transaction came to. */
export type Receipt = {
  blockNumber: bigint;
  blockTimestamp: number;
  gasUsed: bigint;
  logs: Log<bigint, number, false>[];
};

/** One act before it is sent. */
export type Call = { from: Address; contract: ContractName; name: string; args: readonly unknown[] };

/** A chain in this process with the contracts on it. Close it, or the process does not end. */
export type FlockChain = {
  client: PublicClient;
  deployment: Deployment;
  /**
   * Sends a call and mines it in a block with the time stamp `at` (seconds since 1970), if given. Anyone may send.
   * Rejects if the contract refuses.
   */
  act(from: Address, contract: ContractName, name: string, args: readonly unknown[], at?: number): Promise<Receipt>;
  /** Sends many calls, each of little gas, and mines them in their order in as few blocks as they need. */
  actAll(calls: readonly Call[]): Promise<void>;
  /** Gives someone tokens and lets the vault take them. */
  endow(operator: Address, amount: bigint): Promise<void>;
  /** Adds an empty block. */
  mine(): Promise<void>;
  /** The hash of a block, which is made first if it does not exist yet: the value of a seed's block. */
  hashOf(block: number): Promise<Hex>;
  /** Time stamp of the newest block. */
  now(): Promise<number>;
  /** Remembers where the chain stands, and goes back there. */
  mark(): Promise<void>;
  rewind(): Promise<void>;
  request(method: string, params?: unknown[]): Promise<unknown>;
  close(): Promise<void>;
};

/**
 * Starts a chain, or takes the fresh one of a node at `url`, and deploys the contracts as a deployer would, without
 * Ignition's bookkeeping.
 */
export async function startFlockChain({ url }: { url?: string | undefined } = {}): Promise<FlockChain> {
  const connection = await (url === undefined
    ? network.create({ override: { initialDate: new Date((START - 1) * 1000) } })
    : network.create({ network: "local", override: { url } }));
  const request = (method: string, params: unknown[] = []) => connection.provider.request({ method, params });
  // Getters that are read at once are one call: a game compares with the contracts after every act.
  const batch = { multicall: { deployless: true, batchSize: 2048 } }; // their answers fit into the code of a contract
  const client = (await connection.viem.getPublicClient({ batch })) as unknown as PublicClient;
  const [holder] = (await request("eth_accounts")) as [Address];
  let known = new Set<Address>([holder]);
  let knownAtMark = known;
  let snapshot: unknown;
  let now = START;

  async function send(transaction: { from: Address; to?: Address; data: Hex }, at = now + 1): Promise<Hex> {
    // The chain's own clock is never used: the same acts make the same blocks, whose hashes are the seeds.
    await request("evm_setNextBlockTimestamp", [numberToHex(at)]);
    const priced = { ...transaction, gas: numberToHex(12_000_000), gasPrice: numberToHex(10n ** 10n) };
    const hash = (await request("eth_sendTransaction", [priced]).finally(async () => {
      now = Number((await client.getBlock()).timestamp);
    })) as Hex;
    return hash;
  }
  const deployment = await deploy(client, holder, send);
  const { addresses } = deployment;

  async function know(from: Address): Promise<void> {
    if (known.has(from)) return;
    await request("hardhat_impersonateAccount", [from]);
    await request("hardhat_setBalance", [from, numberToHex(10n ** 24n)]);
    known.add(from);
  }

  const chain: FlockChain = {
    client,
    deployment,
    async act(from, contract, functionName, args, at) {
      await know(from);
      const call = { abi: abis[contract], functionName, args } as Parameters<typeof encodeFunctionData>[0];
      const hash = await send({ from, to: addresses[contract], data: encodeFunctionData(call) }, at);
      const { blockNumber, gasUsed, logs } = await client.getTransactionReceipt({ hash });
      return { blockNumber, blockTimestamp: now, gasUsed, logs };
    },
    async actAll(calls) {
      await request("evm_setAutomine", [false]);
      const fees = { gas: numberToHex(250_000), gasPrice: numberToHex(10n ** 10n) };
      const hashes: Hex[] = [];
      for (const { from, contract, name, args } of calls) {
        await know(from);
        const call = { abi: abis[contract], functionName: name, args } as Parameters<typeof encodeFunctionData>[0];
        const transaction = { ...fees, from, to: addresses[contract], data: encodeFunctionData(call) };
        hashes.push((await request("eth_sendTransaction", [transaction])) as Hex);
      }
      for (const hash of hashes) {
        const mined = async () => (await request("eth_getTransactionReceipt", [hash])) as { status: Hex } | null;
        let receipt = await mined();
        for (; receipt === null; receipt = await mined()) await chain.mine();
        if (receipt.status !== "0x1") throw new Error(`${calls[hashes.indexOf(hash)]?.name} was refused.`);
      }
      await request("evm_setAutomine", [true]);
    },
    async endow(operator, amount) {
      await chain.act(holder, "FlockToken", "transfer", [operator, amount]);
      await chain.act(operator, "FlockToken", "approve", [addresses.Staking, maxUint256]);
    },
    async mine() {
      now += 1;
      await request("evm_setNextBlockTimestamp", [numberToHex(now)]);
      await request("hardhat_mine");
    },
    async hashOf(block) {
      while ((await client.getBlockNumber({ cacheTime: 0 })) < BigInt(block)) await chain.mine();
      return (await client.getBlock({ blockNumber: BigInt(block) })).hash;
    },
    async now() {
      return now;
    },
    async mark() {
      snapshot = await request("evm_snapshot");
      knownAtMark = new Set(known);
    },
    async rewind() {
      await request("evm_revert", [snapshot]);
      now = Number((await client.getBlock()).timestamp);
      known = new Set(knownAtMark);
      await chain.mark();
    },
    request,
    close: () => connection.close(),
  };
  return chain;
}

/** Constructors name what they depend on: each argument is the contract of that name. */
const parameterOf: Record<string, ContractName> = {
  token: "FlockToken",
  beacon: "BlockhashBeacon",
  registry: "TaskRegistry",
  staking: "Staking",
  rounds: "Rounds",
  voting: "ValidatorVoting",
  distributor: "RewardDistributor",
};

type Send = (transaction: { from: Address; to?: Address; data: Hex }) => Promise<Hex>;

async function deploy(client: PublicClient, holder: Address, send: Send): Promise<Deployment> {
  const block = Number(await client.getBlockNumber()) + 1;
  const addresses = {} as Deployment["addresses"];
  const named = (inputs: readonly { name?: string | undefined }[] = []) =>
    inputs.map(({ name = "" }) => (name === "holder" ? holder : addresses[parameterOf[name.replace(/_$/, "")]!]));
  const artifacts = await Promise.all(contractNames.map((name) => hre.artifacts.readArtifact(name)));
  for (const [i, name] of contractNames.entries()) {
    const { abi, bytecode } = artifacts[i] as unknown as { abi: Abi; bytecode: Hex };
    const args = named(abi.find((item) => item.type === "constructor")?.inputs);
    const hash = await send({ from: holder, data: encodeDeployData({ abi, bytecode, args }) });
    const { contractAddress } = await client.getTransactionReceipt({ hash });
    addresses[name] = getAddress(contractAddress!);
  }
  for (const [i, name] of contractNames.entries()) {
    const isBind = (item: Abi[number]): item is AbiFunction => item.type === "function" && item.name === "bind";
    const bind = (artifacts[i]!.abi as Abi).find(isBind);
    if (bind === undefined) continue;
    const data = encodeFunctionData({ abi: [bind], functionName: "bind", args: named(bind.inputs) });
    await send({ from: holder, to: addresses[name], data });
  }
  return { chainId: await client.getChainId(), block, addresses };
}
