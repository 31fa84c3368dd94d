import { type Address, type Hex, parseTransaction, type TransactionReceipt } from "viem";
import { ExitCode, type FlockError, PermanentError } from "../../protocol/errors.ts";
import { chainFailure } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";
import type { Entry } from "./outbox.ts";

/** Why a mined transaction was reverted, found by asking again as of its block. */
export async function whyReverted(
  { client }: Chain,
  account: Address,
  { id, transactions }: Entry,
  { transactionHash, blockNumber, gasUsed }: TransactionReceipt,
): Promise<FlockError> {
  const raw = transactions.find(({ hash }) => hash === transactionHash)?.raw as `0x02${string}`;
  const { to, data, gas } = parseTransaction(raw);
  if (gasUsed === gas) return reverted(`${id} ran out of gas in block ${blockNumber}.`);
  try {
    await client.call({ account, to: to as Hex, data: data as Hex, blockNumber });
  } catch (error) {
    return chainFailure(error, `${id} in block ${blockNumber}`);
  }
  return reverted(`The contracts refused ${id} in block ${blockNumber} for a reason that is gone by now.`);
}

function reverted(message: string): PermanentError {
  return new PermanentError(message, { exitCode: ExitCode.chain });
}
