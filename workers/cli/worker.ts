import { Command } from "commander";
import { ExitCode, FlockError } from "../../protocol/errors.ts";
import { parseRoles, readConfig, roleNames } from "../config.ts";
import { interruption } from "./interruption.ts";
import type { Terminal } from "./report.ts";

/** `flockctl worker`: runs one operator's worker process until it is interrupted. */
export function workerCommand(terminal: Terminal): Command {
  return new Command("worker")
    .description("run an operator's worker process: look, train, measure, send")
    .requiredOption("--config <file>", "the operator's configuration (JSON)")
    .option("--roles <list>", "what this process does, separated by commas", roleNames.join(","))
    .addHelpText(
      "after",
      "\nIt ends at Ctrl-C (exit code 130) or SIGTERM (0), and leaves no process behind.\n" +
        "\nExample:\n  flockctl worker --config operator.json --roles trainer,sender,scheduler",
    )
    .action(async (options: { config: string; roles: string }) => {
      const roles = parseRoles(options.roles);
      const config = await readConfig(options.config);
      // Only here: other verbs need no queue, and start sooner without.
      const { runWorker } = await import("../worker.ts");
      using stop = interruption();
      await runWorker(config, {
        roles,
        signal: stop.signal,
        onStarted: (line) => terminal.tell(`${line}\n`),
      });
      if (stop.by() === "SIGINT") throw new FlockError("Stopped.", { exitCode: ExitCode.interrupted });
    });
}
