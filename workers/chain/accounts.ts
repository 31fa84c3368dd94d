import { type Address, getAddress } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import { readEvents } from "./logs.ts";
import type { Chain } from "./open.ts";

/** The value of a share of a pool is `shares * factor >> 79` wei. */
const FACTOR_BITS = 79n;

/** The operator's own stake, as if touched now. */
export function readAccount({ client, deployment }: Chain, task: bigint, operator: Address) {
  return client.readContract({ ...stakingOf(deployment), functionName: "account", args: [task, operator] });
}

/** What is delegated to an operator, wei. */
export type PoolView = {
  accepts: boolean;
  commissionBps: number;
  /** Bears faults; what is leaving among it. */
  active: bigint;
  /** Counts from the next round. */
  joining: bigint;
};

export async function readPool({ client, deployment }: Chain, task: bigint, operator: Address): Promise<PoolView> {
  const args = [task, operator] as const;
  const pool = await client.readContract({ ...stakingOf(deployment), functionName: "pool", args });
  return {
    accepts: pool.accepts,
    commissionBps: pool.commissionBps,
    active: pool.active,
    joining: pool.joining,
  };
}

/** What one delegator has with an operator, wei. */
export type PositionView = {
  active: bigint;
  joining: bigint;
  /** Asked to leave, and bears the faults of the open round. */
  leaving: bigint;
  /** Out of every round; free at `unlockAt`. */
  left: bigint;
  /** Seconds since 1970. */
  unlockAt: number;
  claimable: bigint;
};

export async function readPosition(
  { client, deployment }: Chain,
  task: bigint,
  operator: Address,
  owner: Address,
): Promise<PositionView> {
  const staking = stakingOf(deployment);
  const blockNumber = await client.getBlockNumber();
  const [{ mark }, position] = await Promise.all([
    client.readContract({ ...staking, functionName: "pool", args: [task, operator], blockNumber }),
    client.readContract({ ...staking, functionName: "position", args: [task, operator, owner], blockNumber }),
  ]);
  const worth = (shares: bigint) => (shares * mark.factor) >> FACTOR_BITS;
  return {
    active: worth(position.shares),
    joining: position.joining,
    leaving: worth(position.leavingShares),
    left: position.left,
    unlockAt: position.unlockAt,
    claimable: position.claimable,
  };
}

/** The key that acts for an operator in the newest round; undefined if only its own does. */
export async function readSigner({ client, deployment }: Chain, task: bigint, operator: Address) {
  const args = [task, operator] as const;
  const signer = await client.readContract({ ...stakingOf(deployment), functionName: "signerOf", args });
  return BigInt(signer) === 0n ? undefined : signer;
}

/** The signer that an operator named last, which counts from a round that need not be open yet; undefined if none. */
export async function readNamedSigner(
  chain: Chain,
  task: bigint,
  operator: Address,
): Promise<{ signer: Address; countsFrom: number } | undefined> {
  const toBlock = await chain.client.getBlockNumber();
  const range = { args: { task, operator }, fromBlock: BigInt(chain.deployment.block), toBlock };
  const [named, revoked] = await Promise.all([
    readEvents(chain, { contract: "Staking", event: "SignerSet", ...range }),
    readEvents(chain, { contract: "Staking", event: "SignerRevoked", ...range }),
  ]);
  const last = named.at(-1);
  if (last === undefined || isAfter(revoked.at(-1), last)) return undefined;
  return { signer: getAddress(last.args.signer), countsFrom: last.args.countsFrom };
}

/** A log's place on the chain. */
type Placed = { blockNumber: bigint; logIndex: number };

/** Whether one log came after another; one that is not there did not. */
export function isAfter(one: Placed | undefined, other: Placed): boolean {
  if (one === undefined) return false;
  return one.blockNumber === other.blockNumber ? one.logIndex > other.logIndex : one.blockNumber > other.blockNumber;
}

function stakingOf({ addresses }: Chain["deployment"]) {
  return { address: addresses.Staking, abi: abis.Staking } as const;
}
