import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { PassingError, PermanentError } from "../../protocol/errors.ts";

export type GuardedCommand = {
  command: string;
  args: string[];
  /** Both output streams are appended to this file. */
  log: string;
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Start it again whenever it dies without being asked to. */
  restart?: boolean | undefined;
};

export type GuardMessage =
  | { type: "started"; pid: number }
  | { type: "failed"; message: string }
  | { type: "exited"; code: number | null; signal: string | null };

export type GuardedChild = {
  /** Process id of the command (it changes when the command is started again). */
  pid(): number;
  /** Whether the command has ended and will not come back. */
  ended(): boolean;
  /** Asks the command to end, forces it after five seconds, and waits until it is gone. */
  stop(): Promise<void>;
};

/**
 * Runs a server as a child that ends when we end, even by `kill -9`: a small guard process holds it and watches the channel to us.
 * @throws PermanentError if the command cannot be started.
 */
export async function startGuarded(command: GuardedCommand): Promise<GuardedChild> {
  const guard = fork(fileURLToPath(new URL("./guard.ts", import.meta.url)), [], {
    detached: true,
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  guard.unref();
  const state: { pid: number | undefined; running: boolean; stopping: boolean } = {
    pid: undefined,
    running: false,
    stopping: false,
  };

  const started = new Promise<void>((resolve, reject) => {
    guard.on("message", (message: GuardMessage) => {
      if (message.type === "failed") {
        reject(new PermanentError(`${command.command} cannot be started: ${message.message}.`));
      } else if (message.type === "started") {
        state.pid = message.pid;
        state.running = true;
        resolve();
      } else state.running = false;
    });
    guard.once("error", reject);
    guard.once("exit", () => {
      // The guard was killed over our heads: nobody else would end the command.
      if (state.running && !state.stopping && state.pid !== undefined) kill(state.pid);
      state.running = false;
      reject(new PassingError(`${command.command} ended at once; its messages are in ${command.log}.`));
    });
  });
  guard.send(command);
  await started;
  guard.channel?.unref();

  return {
    pid: () => state.pid as number,
    ended: () => guard.exitCode !== null || guard.signalCode !== null,
    stop: () => stop(guard, state),
  };
}

async function stop(guard: ChildProcess, state: { stopping: boolean }): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null) return;
  const gone = once(guard, "exit");
  guard.ref();
  if (!state.stopping) {
    state.stopping = true;
    guard.kill("SIGTERM");
  }
  await gone;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It had ended already.
  }
}
