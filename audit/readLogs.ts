import type { Address, Log, PublicClient } from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import type { FlockEvent } from "../protocol/replay/events.ts";
import { asFailure, mayBeTooLarge, requireChain } from "./chain.ts";
import { decodeLog } from "./decodeLog.ts";

/** Blocks that are asked for at once, as long as the server does not refuse. */
const MOST_BLOCKS = 10_000n;
/** Blocks whose time stamps are asked for at once. */
const BATCH = 32;

export type ReadLogsParameters = {
  deployment: Deployment;
  toBlock: bigint;
  /** The deployment's block by default; later ones only for those who continue a replay. */
  fromBlock?: bigint | undefined;
  /** Blocks at once; halved where a server refuses. */
  span?: bigint | undefined;
};

/**
 * Every event of a deployment's contracts up to `toBlock`, in the order of the chain, with its block's time stamp.
 * @throws PassingError if the chain does not answer, PermanentError on another chain or for a log that is no event of ours.
 */
export async function readLogs(client: PublicClient, parameters: ReadLogsParameters): Promise<FlockEvent[]> {
  const { deployment, toBlock, fromBlock = BigInt(deployment.block), span = MOST_BLOCKS } = parameters;
  await requireChain(client, deployment);
  const { FlockToken, BlockhashBeacon, ...emitters } = deployment.addresses;
  const logs = await readRange(client, Object.values(emitters), fromBlock, toBlock, span);
  const timestamps = await readTimestamps(client, logs);
  const events = logs.map((log) => decodeLog(deployment, log, timestamps.get(log.blockNumber)!));
  return events.sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex);
}

type MinedLog = Log<bigint, number, false>;

async function readRange(
  client: PublicClient,
  address: Address[],
  fromBlock: bigint,
  toBlock: bigint,
  most: bigint,
): Promise<MinedLog[]> {
  const logs: MinedLog[] = [];
  let span = most;
  for (let from = fromBlock; from <= toBlock; ) {
    const to = from + span - 1n < toBlock ? from + span - 1n : toBlock;
    try {
      for (const log of await client.getLogs({ address, fromBlock: from, toBlock: to })) logs.push(log);
    } catch (error) {
      if (to === from || !mayBeTooLarge(error)) throw asFailure(error, `reading logs of blocks ${from} to ${to}`);
      span = (to - from + 1n) / 2n;
      continue;
    }
    from = to + 1n;
    if (span < most) span *= 2n;
  }
  return logs;
}

/** Seconds since 1970 by block. Not every server puts them into its logs. */
async function readTimestamps(client: PublicClient, logs: readonly MinedLog[]): Promise<Map<bigint, number>> {
  const timestamps = new Map<bigint, number>();
  const missing = new Set<bigint>();
  for (const { blockNumber, blockTimestamp } of logs) {
    if (blockTimestamp === undefined || blockTimestamp === null) missing.add(blockNumber);
    else timestamps.set(blockNumber, Number(blockTimestamp));
  }
  const blocks = [...missing];
  for (let at = 0; at < blocks.length; at += BATCH) {
    const batch = blocks.slice(at, at + BATCH);
    const read = await Promise.all(batch.map((blockNumber) => client.getBlock({ blockNumber }))).catch(
      (error: unknown) => {
        throw asFailure(error, `reading block ${batch[0]}`);
      },
    );
    for (const { number, timestamp } of read) timestamps.set(number, Number(timestamp));
  }
  return timestamps;
}
