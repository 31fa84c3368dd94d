import { BaseError, ContractFunctionZeroDataError } from "viem";
import { asFailure } from "../../audit/chain.ts";
import { ExitCode, FlockError, PassingError, PermanentError } from "../../protocol/errors.ts";
import { refusalOf } from "./refusal.ts";

/**
 * Any failure of a request to the chain in one sentence. A refusal of the contracts is permanent unless time alone lifts it;
 * everything else may pass. `doing` completes "The chain does not answer while ..." and "The contracts refuse ...".
 */
export function chainFailure(error: unknown, doing: string): FlockError {
  if (error instanceof FlockError) return error;
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    const Kind = refusal.passing ? PassingError : PermanentError;
    return new Kind(`The contracts refuse ${doing}: ${refusal.sentence}.`, { cause: error, exitCode: ExitCode.chain });
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
