import { network } from "hardhat";
import {
  type Address,
  encodeFunctionData,
  getAddress,
  type Hex,
  maxUint256,
  numberToHex,
  type PublicClient,
} from "viem";
import type { ContractName, Deployment } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";

/** What a mined transaction came to. */
export type Receipt = { blockNumber: bigint; blockTimestamp: number; gasUsed: bigint };

/** A chain in this process with the contracts on it. Close it, or the process does not end. */
export type FlockChain = {
  client: PublicClient;
  deployment: Deployment;
  /**
   * Sends a call and mines it in a block with the time stamp `at` (seconds since 1970), if given. Anyone may send.
   * Rejects if the contract refuses.
   */
  act(from: Address, contract: ContractName, name: string, args: readonly unknown[], at?: number): Promise<Receipt>;
  /** Gives someone tokens and lets the vault take them. */
  endow(operator: Address, amount: bigint): Promise<void>;
  /** Adds an empty block. */
  mine(): Promise<void>;
  /** Time stamp of the newest block. */
  now(): Promise<number>;
  /** Remembers where the chain stands, and goes back there. */
  mark(): Promise<void>;
  rewind(): Promise<void>;
  request(method: string, params?: unknown[]): Promise<unknown>;
  close(): Promise<void>;
};

/** Starts a chain and deploys the contracts as a deployer would, without Ignition's bookkeeping. */
export async function startFlockChain(): Promise<FlockChain> {
  // A fixed date makes block hashes, and so seeds and seats, the same on every run.
  const connection = await network.create({ override: { initialDate: "2026-01-01T00:00:00Z" } });
  const request = (method: string, params: unknown[] = []) => connection.provider.request({ method, params });
  const client = (await connection.viem.getPublicClient()) as unknown as PublicClient;
  const [holder] = (await client.request({ method: "eth_accounts" as never })) as [Address];
  const deployment = await deploy(connection, holder);
  const { addresses } = deployment;
  const known = new Set<Address>();
  let snapshot: unknown;

  const chain: FlockChain = {
    client,
    deployment,
    async act(from, contract, functionName, args, at) {
      if (!known.has(from)) {
        await request("hardhat_impersonateAccount", [from]);
        await request("hardhat_setBalance", [from, numberToHex(10n ** 24n)]);
        known.add(from);
      }
      if (at !== undefined) await request("evm_setNextBlockTimestamp", [numberToHex(at)]);
      const call = { abi: abis[contract], functionName, args } as Parameters<typeof encodeFunctionData>[0];
      const transaction = {
        from,
        to: addresses[contract],
        data: encodeFunctionData(call),
        gas: numberToHex(12_000_000),
      };
      const hash = (await request("eth_sendTransaction", [transaction])) as Hex;
      const { blockNumber, gasUsed } = await client.getTransactionReceipt({ hash });
      const { timestamp } = await client.getBlock({ blockNumber });
      return { blockNumber, blockTimestamp: Number(timestamp), gasUsed };
    },
    async endow(operator, amount) {
      await chain.act(holder, "FlockToken", "transfer", [operator, amount]);
      await chain.act(operator, "FlockToken", "approve", [addresses.Staking, maxUint256]);
    },
    async mine() {
      await request("hardhat_mine");
    },
    async now() {
      return Number((await client.getBlock()).timestamp);
    },
    async mark() {
      snapshot = await request("evm_snapshot");
    },
    async rewind() {
      await request("evm_revert", [snapshot]);
      await chain.mark();
    },
    request,
    close: () => connection.close(),
  };
  return chain;
}

async function deploy({ viem }: Awaited<ReturnType<typeof network.create>>, holder: Address): Promise<Deployment> {
  const client = await viem.getPublicClient();
  const block = Number(await client.getBlockNumber()) + 1;
  const make = async (name: ContractName, args: unknown[] = []) =>
    getAddress((await viem.deployContract(name as string, args)).address);
  const FlockToken = await make("FlockToken", [holder]);
  const BlockhashBeacon = await make("BlockhashBeacon");
  const TaskRegistry = await make("TaskRegistry");
  const Staking = await make("Staking", [FlockToken, TaskRegistry]);
  const Rounds = await make("Rounds", [TaskRegistry, Staking, BlockhashBeacon]);
  const ValidatorVoting = await make("ValidatorVoting", [TaskRegistry, Rounds]);
  const RewardDistributor = await make("RewardDistributor", [TaskRegistry, Staking, Rounds, ValidatorVoting]);
  const addresses = { FlockToken, BlockhashBeacon, TaskRegistry, Staking, Rounds, ValidatorVoting, RewardDistributor };

  const [deployer] = await viem.getWalletClients();
  const bind = (contract: ContractName, args: readonly unknown[]) =>
    deployer!.writeContract({
      address: addresses[contract],
      abi: abis[contract] as never,
      functionName: "bind" as never,
      args: args as never,
    });
  await bind("TaskRegistry", [RewardDistributor]);
  await bind("Staking", [Rounds, RewardDistributor]);
  await bind("Rounds", [RewardDistributor]);
  return { chainId: await client.getChainId(), block, addresses };
}
