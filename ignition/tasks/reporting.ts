import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { FlockError, PassingError } from "../../protocol/errors.ts";
import { exitOf } from "../../workers/cli/exit.ts";

type Action<Arguments> = (taskArguments: Arguments, hre: HardhatRuntimeEnvironment) => Promise<void>;

/** Hardhat's number for "Cannot connect to the network". */
const CANNOT_CONNECT = 703;

/** A Hardhat task that ends as flockctl does: one sentence on standard error and the exit code of the error. */
export function reporting<Arguments>(action: Action<Arguments>): Action<Arguments> {
  return async (taskArguments, hre) => {
    try {
      await action(taskArguments, hre);
    } catch (error) {
      const { code, message } = exitOf(unreachable(error) ?? error);
      process.stderr.write(`${message}\n`);
      process.exitCode = code;
    }
  };
}

function unreachable(error: unknown): PassingError | undefined {
  if (error instanceof FlockError) return undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name !== "HardhatError") continue;
    // Its other errors say what to do in Hardhat's own way.
    if ((cause as Error & { number?: number }).number !== CANNOT_CONNECT) throw error;
    const advice = "start it, or correct its URL (docs/deploying.md)";
    return new PassingError(`The chain of the network that --network names does not answer: ${advice}.`, { cause });
  }
  return undefined;
}
