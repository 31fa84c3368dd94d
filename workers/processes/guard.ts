/**
 * The process between us and a server that we started. It runs the server, brings it back if it dies by itself (when asked), and
 * stops it when the channel to us closes, which the system does for us however we die.
 * A session of its own keeps Ctrl-C in the terminal from reaching the server before we are done with it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import type { GuardedCommand, GuardMessage } from "./guardedChild.ts";

const STOP_MS = 5_000;
const RESTART_MS = 300;

let child: ChildProcess | undefined;
let stopping = false;

function run(command: GuardedCommand): void {
  const log = openSync(command.log, "a", 0o600);
  const started = spawn(command.command, command.args, {
    cwd: command.cwd,
    env: command.env,
    stdio: ["ignore", log, log],
  });
  child = started;
  started.once("spawn", () => report({ type: "started", pid: started.pid as number }));
  started.once("error", (error) => {
    report({ type: "failed", message: error.message });
    process.exit(1);
  });
  started.once("exit", (code, signal) => {
    report({ type: "exited", code, signal });
    if (stopping || command.restart !== true) process.exit(0);
    setTimeout(() => {
      if (!stopping) run(command);
    }, RESTART_MS);
  });
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) process.exit(0);
  child.kill("SIGTERM");
  setTimeout(() => child?.kill("SIGKILL"), STOP_MS);
}

function report(message: GuardMessage): void {
  if (process.connected) process.send?.(message, () => {});
}

process.once("message", (command: GuardedCommand) => run(command));
process.on("disconnect", stop);
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
