import { type Abi, decodeEventLog, type Log } from "viem";
import type { ContractName, Deployment } from "../protocol/deployment.ts";
import { ExitCode, PermanentError } from "../protocol/errors.ts";
import { abis } from "../protocol/generated/abis.ts";
import type { FlockEvent } from "../protocol/replay/events.ts";

/**
 * A log as an event of the contract that wrote it.
 * @throws PermanentError if it is none: then something else than our contracts lives at that address.
 */
export function decodeLog(deployment: Deployment, log: Log<bigint, number, false>, blockTimestamp: number): FlockEvent {
  const { blockNumber, logIndex, transactionHash, topics, data, address } = log;
  const contract = contractAt(deployment, address);
  try {
    const { eventName: name, args } = decodeEventLog({ abi: abis[contract] as Abi, topics, data });
    return { name, args, blockNumber, blockTimestamp, logIndex, transactionHash } as unknown as FlockEvent;
  } catch (cause) {
    throw new PermanentError(
      `Log ${logIndex} of block ${blockNumber} is no event of ${contract}: is ${address} the address of another contract?`,
      { cause, exitCode: ExitCode.chain },
    );
  }
}

function contractAt({ addresses }: Deployment, address: string): ContractName {
  const entry = Object.entries(addresses).find(([, known]) => known.toLowerCase() === address.toLowerCase());
  if (entry !== undefined) return entry[0] as ContractName;
  throw new PermanentError(`A log came from ${address}, which was not asked for.`, { exitCode: ExitCode.chain });
}
