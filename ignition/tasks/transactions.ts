import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  decodeErrorResult,
  type Hash,
  type TransactionReceipt,
} from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";
import type { Connection } from "./connection.ts";

export type Sent = { what: string; hash: Hash };

/**
 * Sends one transaction and waits until it is in a block; adds it to `sent`.
 * @throws PermanentError (chain) if it is refused or fails, saying what it was for.
 */
export async function send(
  { publicClient }: Connection,
  { what, write, sent }: { what: string; write: () => Promise<Hash>; sent: Sent[] },
): Promise<TransactionReceipt> {
  let hash: Hash;
  try {
    hash = await write();
  } catch (cause) {
    const message = `The transaction to ${what} was refused: ${reasonOf(cause as Error)}.`;
    throw new PermanentError(message, { cause, exitCode: ExitCode.chain });
  }
  const receipt = await publicClient.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") {
    throw new PermanentError(`The transaction ${hash} to ${what} failed.`, { exitCode: ExitCode.chain });
  }
  sent.push({ what, hash });
  return receipt;
}

/** The custom error of a revert, from whichever of our contracts it came; otherwise viem's own words. */
function reasonOf(error: Error): string {
  if (!(error instanceof BaseError)) return error.message;
  const reverted = error.walk((inner) => inner instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError && reverted.raw !== undefined) {
    try {
      const { errorName, args = [] } = decodeErrorResult({
        abi: Object.values(abis).flat() as Abi,
        data: reverted.raw,
      });
      return `${errorName}(${args.map(String).join(", ")})`;
    } catch {
      // Not an error of ours.
    }
  }
  return error.shortMessage.replace(/\.?\s*$/, "");
}
