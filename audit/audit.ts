import type { PublicClient } from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import { ExitCode, PassingError, PermanentError } from "../protocol/errors.ts";
import { asFailure, requireChain } from "./chain.ts";
import { compare } from "./compare.ts";
import type { Difference } from "./difference.ts";
import { readLogs } from "./readLogs.ts";
import { type Recomputed, recompute } from "./recompute.ts";
import { replay } from "./replay.ts";
import type { AuditReport } from "./report.ts";

export type AuditParameters = {
  client: PublicClient;
  deployment: Deployment;
  task: bigint;
  /** Folder of artifacts by sha256, to build every head again. */
  store?: string | undefined;
  /** Up to here; the newest block by default. */
  toBlock?: bigint | undefined;
};

/**
 * Rebuilds a task from the logs of its deployment alone, and compares: each event with what the rules make of those before
 * it, the final state with the contracts, and with a store every head with its artifacts. The whole deployment is replayed,
 * because all tasks share one vault.
 * @throws PassingError if the chain does not answer, PermanentError on another chain or for a task that does not exist.
 */
export async function audit(parameters: AuditParameters): Promise<AuditReport> {
  const { client, deployment, task, store } = parameters;
  await requireChain(client, deployment);
  const block = await blockAt(client, parameters.toBlock);
  const fromBlock = BigInt(deployment.block);
  const events = await readLogs(client, { deployment, toBlock: block.number });
  const report = { chainId: deployment.chainId, task, fromBlock, toBlock: block.number, events: events.length };
  const played = replay(deployment, events);
  if (played.state === undefined) {
    return { ...report, rounds: [], heads: undefined, differences: 1, firstDifference: played.difference };
  }
  const audited = played.state.tasks.get(task);
  if (audited === undefined) {
    throw new PermanentError(`There is no task ${task} on chain ${deployment.chainId} at block ${block.number}.`, {
      exitCode: ExitCode.chain,
    });
  }

  const found: Difference[] = await compare(client, played.state, audited, block);
  const heads = store === undefined ? undefined : await recompute(audited, store);
  await requireSameBlock(client, block);
  const all = [...found, ...(heads?.differences ?? [])];
  const counts = heads && countsOf(heads);
  return { ...report, rounds: audited.history, heads: counts, differences: all.length, firstDifference: all[0] };
}

function countsOf({ checked, confirmed, unchecked, missing }: Recomputed) {
  return { checked, confirmed, unchecked, missing };
}

type AuditedBlock = { number: bigint; timestamp: number; hash: string };

async function blockAt(client: PublicClient, blockNumber?: bigint): Promise<AuditedBlock> {
  const what = blockNumber === undefined ? { blockTag: "latest" as const } : { blockNumber };
  const { number, timestamp, hash } = await client.getBlock(what).catch((error: unknown) => {
    throw asFailure(error, "asking for its newest block");
  });
  return { number, timestamp: Number(timestamp), hash };
}

/** A block that was replaced meanwhile would leave half of the answers from either side. */
async function requireSameBlock(client: PublicClient, block: AuditedBlock): Promise<void> {
  const now = await blockAt(client, block.number);
  if (now.hash !== block.hash) {
    throw new PassingError(`The chain replaced block ${block.number} during the audit: run it again.`);
  }
}
