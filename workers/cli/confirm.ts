import { ExitCode, FlockError, PermanentError } from "../../protocol/errors.ts";
import type { Terminal } from "./report.ts";

/**
 * Asks before something is signed. `--yes` answers for the user.
 * @throws PermanentError (usage) where nobody can be asked, FlockError (interrupted) when the answer is not yes.
 */
export async function confirm(terminal: Terminal, { yes = false }: { yes?: boolean | undefined }): Promise<void> {
  if (yes) return;
  if (terminal.ask === undefined) {
    throw new PermanentError("This would be signed, and nobody can be asked here: add --yes to sign it.", {
      exitCode: ExitCode.usage,
    });
  }
  const answer = await terminal.ask("Sign and send this? [y/N] ");
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new FlockError("Nothing was signed.", { exitCode: ExitCode.interrupted });
  }
}
