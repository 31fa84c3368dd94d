import { PassingError } from "../../protocol/errors.ts";

/** Hardhat's numbers of the errors with which Ignition stops although nothing is wrong with the deployment. */
const advice: Record<number, string> = {
  10400: "The chain's server took a transaction and lost it: run the same command again, it sends it once more.",
  10402: "Transactions of the deploying account wait for their confirmations: run the same command again in a minute.",
  10403: "Transactions of the deploying account wait for their confirmations: run the same command again in a minute.",
  10411: "The deploying account sends elsewhere as well: stop that, then run the same command again, it resumes.",
  10412: "The chain's server lags behind or lost a transaction: run the same command again, it resumes.",
};

/** What a server says that is behind the transactions of an account, or knows one already. */
const laggard = /nonce too low|nonce has already been used|already known|replacement transaction underpriced/i;

/** One sentence with what to do instead of an error of Ignition that goes away by itself; undefined for others. */
export function deployAdvice(error: unknown): PassingError | undefined {
  if (!(error instanceof Error)) return undefined;
  const known = error.name === "HardhatError" ? advice[(error as Error & { number?: number }).number ?? 0] : undefined;
  if (known !== undefined) return new PassingError(known, { cause: error });
  return laggard.test(error.message) ? new PassingError(advice[10412] ?? "", { cause: error }) : undefined;
}
