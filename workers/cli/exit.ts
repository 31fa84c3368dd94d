import { CommanderError } from "commander";
import { ExitCode, FlockError } from "../../protocol/errors.ts";

/** The one place where an error becomes an exit code and what the user reads of it. */
export function exitOf(error: unknown): { code: ExitCode; message: string } {
  if (error instanceof CommanderError) {
    // Commander has written its own message already; help and version are no errors.
    return { code: error.exitCode === 0 ? ExitCode.ok : ExitCode.usage, message: "" };
  }
  if (error instanceof FlockError) return { code: error.exitCode, message: error.message };
  const { name, message, stack } = error as Error;
  if (name === "AbortError") return { code: ExitCode.interrupted, message: "Interrupted." };
  return { code: ExitCode.unexpected, message: `Unexpected: ${stack ?? message}` };
}
