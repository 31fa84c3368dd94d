import { BaseError, HttpRequestError, type PublicClient, WebSocketRequestError } from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import { ExitCode, PassingError, PermanentError } from "../protocol/errors.ts";

/** Whether a request failed because nobody answered, rather than because the answer was no. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  const cause = error.walk(
    (inner) =>
      (inner instanceof HttpRequestError && inner.status === undefined) || inner instanceof WebSocketRequestError,
  );
  return cause !== null;
}

/** Whether a smaller request may succeed: the provider refused the size, or took too long. */
export function mayBeTooLarge(error: unknown): boolean {
  if (!(error instanceof BaseError) || isUnreachable(error)) return false;
  const limited = error.walk((inner) => inner instanceof HttpRequestError && inner.status === 429);
  return limited === null;
}

/** The same failure in one sentence, telling whether to try again. */
export function asFailure(error: unknown, doing: string): PassingError {
  const cause = error instanceof BaseError ? error.shortMessage : String(error);
  if (isUnreachable(error)) {
    return new PassingError(`The chain does not answer while ${doing}: check its URL and try again.`, { cause: error });
  }
  return new PassingError(
    `The chain's server failed while ${doing} (${cause.replace(/\.$/, "")}): try again or use another.`,
    {
      cause: error,
    },
  );
}

/**
 * Checks that a client speaks to the chain of a deployment.
 * @throws PassingError if nobody answers, PermanentError if it is another chain.
 */
export async function requireChain(client: PublicClient, deployment: Deployment): Promise<void> {
  const chainId = await client.getChainId().catch((error: unknown) => {
    throw asFailure(error, "asking for its id");
  });
  if (chainId !== deployment.chainId) {
    throw new PermanentError(
      `The deployment is on chain ${deployment.chainId}, but the server is of chain ${chainId}: use another network or deployment.`,
      { exitCode: ExitCode.chain },
    );
  }
}
