import { exitOf } from "./exit.ts";
import { flockctl } from "./program.ts";
import { ownTerminal } from "./terminal.ts";

/** Runs one command line and leaves its exit code to the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const terminal = ownTerminal();
  try {
    await flockctl(terminal).parseAsync(argv);
  } catch (error) {
    const { code, message } = exitOf(error);
    if (message !== "") terminal.tell(`${message}\n`);
    process.exitCode = code;
  }
}
