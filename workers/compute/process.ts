import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";

/** The compute program that comes with Flock. */
export const ownProgram = fileURLToPath(new URL("child.ts", import.meta.url));

/** What a compute process may know of its surroundings: where programs and libraries are, and nothing secret. */
const passedOn = /^(PATH|HOME|TMPDIR|LANG|LC_.*|TZ|LD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|SYSTEMROOT)$/;

/** Lines of its standard error that are kept: a runtime that dies of memory says so and prints a long trace after it. */
const KEPT = 100;

export type ComputeProcess = {
  child: ChildProcess;
  program: string;
  /** What it complained about last on its standard error: a line that names an error, else the last one. */
  lastWords(): string;
};

/**
 * Starts a compute program with an IPC channel; what it prints goes line by line to `onLine`.
 * @throws PermanentError (usage) if there is no such program.
 */
export function startProcess(program: string, onLine: (line: string) => void): ComputeProcess {
  requireProgram(program);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => passedOn.test(name)));
  const cache = getCompileCacheDir();
  if (cache !== undefined) env.NODE_COMPILE_CACHE = cache;
  const child = fork(program, [], { env, execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const words: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      onLine(line);
      if (stream !== child.stderr) return;
      words.push(line);
      if (words.length > KEPT) words.shift();
    });
  }
  return { child, program, lastWords: () => words.findLast((line) => /error\b.*:/i.test(line)) ?? words.at(-1) ?? "" };
}

/** @throws PermanentError (usage) if there is no such program. */
export function requireProgram(program: string): void {
  if (existsSync(program)) return;
  throw new PermanentError(`There is no compute program ${program}; name another as compute.program.`, {
    exitCode: ExitCode.usage,
  });
}

/** Ends a process: SIGTERM, and SIGKILL if it is still there after `grace` milliseconds. */
export async function stopProcess(child: ChildProcess, grace = 10_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), grace);
  await ended;
  clearTimeout(timer);
}
