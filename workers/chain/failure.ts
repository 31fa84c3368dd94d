import {
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  decodeErrorResult,
  type Hex,
  RawContractError,
} from "viem";
import { asFailure } from "../../audit/chain.ts";
import { ExitCode, FlockError, PermanentError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";

/** Every error that the contracts, or what they are made of, can give back. */
const errorAbi = Object.values(abis).flatMap((abi) => abi.filter((item) => item.type === "error"));

/**
 * Any failure of a request to the chain in one sentence: a refusal of the contracts is permanent and names their error and its
 * numbers; everything else may pass. `doing` completes "The chain does not answer while ...".
 */
export function chainFailure(error: unknown, doing: string): FlockError {
  if (error instanceof FlockError) return error;
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    return new PermanentError(`The contracts refuse ${doing}: ${refusal}.`, { cause: error, exitCode: ExitCode.chain });
  }
  if (error instanceof BaseError && error.walk((inner) => inner instanceof ContractFunctionZeroDataError) !== null) {
    return new PermanentError(`No Flock contract answers ${doing}: is the deployment of another chain?`, {
      cause: error,
      exitCode: ExitCode.chain,
    });
  }
  return asFailure(error, doing);
}

/** Runs requests to the chain; what fails comes out as `chainFailure`. */
export async function reach<T>(doing: string, requests: () => Promise<T>): Promise<T> {
  try {
    return await requests();
  } catch (error) {
    throw chainFailure(error, doing);
  }
}

/** What the contracts said no with, such as `NoSeats(0x12...)`; undefined if they did not say no. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof BaseError)) return undefined;
  const data = revertData(error);
  if (data !== undefined && data !== "0x") return nameOf(data);
  const reverted = error.walk((inner) => inner instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError) return reverted.reason ?? "without a reason";
  return /revert/i.test(error.details ?? "") ? error.details.replace(/\.$/, "") : undefined;
}

function revertData(error: BaseError): Hex | undefined {
  const found = error.walk(
    (inner) =>
      inner instanceof RawContractError ||
      (inner instanceof ContractFunctionRevertedError && inner.raw !== undefined) ||
      typeof dataOf(inner) === "string",
  );
  if (found instanceof ContractFunctionRevertedError) return found.raw;
  return found === null ? undefined : dataOf(found);
}

/** Servers put the bytes into `data`, or into an object there. */
function dataOf(error: unknown): Hex | undefined {
  const data = (error as { data?: unknown }).data;
  if (typeof data === "string" && data.startsWith("0x")) return data as Hex;
  return typeof data === "object" && data !== null ? dataOf(data) : undefined;
}

function nameOf(data: Hex): string {
  try {
    const { errorName, args } = decodeErrorResult({ abi: errorAbi, data });
    return `${errorName}(${((args ?? []) as readonly unknown[]).map(String).join(", ")})`;
  } catch {
    return `an error unknown to us (${data.slice(0, 10)})`;
  }
}
