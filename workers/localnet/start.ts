import { closeSync, openSync, writeFileSync } from "node:fs";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { exitOf } from "../cli/exit.ts";
import { openDisplay } from "./display.ts";
import { parseOptions } from "./options.ts";
import { outcomeToJson } from "./outcome.ts";
import { runLocalnet } from "./run.ts";

/** A second interrupt within this time is the same one, delivered twice. */
const SAME_INTERRUPT_MS = 1000;

/** Aborts at the first Ctrl-C; at a later one ends at once (what was started ends with this process). */
function onInterrupt(controller: AbortController): void {
  let first = 0;
  const interrupt = () => {
    if (first === 0) {
      first = Date.now();
      controller.abort();
      process.stderr.write("\nInterrupted; stopping what was started ...\n");
    } else if (Date.now() - first > SAME_INTERRUPT_MS) process.exit(ExitCode.interrupted);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
}

/** Finds out before a run of minutes, not after it. */
function requireWritable(file: string): void {
  try {
    closeSync(openSync(file, "a"));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PermanentError(`The figures cannot be written to ${file} (${code}): name another file with --json.`, {
      cause,
      exitCode: ExitCode.usage,
    });
  }
}

async function main(): Promise<ExitCode> {
  try {
    const options = parseOptions(process.argv.slice(2));
    const controller = new AbortController();
    onInterrupt(controller);
    const display = openDisplay(options);
    try {
      if (options.json !== undefined) requireWritable(options.json);
      const outcome = await runLocalnet(options, display, controller.signal);
      if (options.json !== undefined) writeFileSync(options.json, outcomeToJson(outcome));
      display.line(`\nArtifacts, reports and logs: ${outcome.folder}\n${outcome.seconds.toFixed(0)} s`);
      return outcome.audit.differences === 0 ? ExitCode.ok : ExitCode.difference;
    } finally {
      display.close();
    }
  } catch (error) {
    const { code, message } = exitOf(error);
    if (message !== "" && code !== ExitCode.interrupted) process.stderr.write(`${message}\n`);
    return code;
  }
}

process.exit(await main());
