import { once } from "node:events";
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** The right to one device, or to write into one folder. */
export type Lease = { name: string; giveBack(): Promise<void> };

export type LeaseOptions = {
  signal?: AbortSignal | undefined;
  /** Called once if all are taken. */
  onWait?: (() => void) | undefined;
};

const RETRY_MS = 200;

/**
 * Takes the first of some devices that no process of this machine has taken, and waits for one while there is none. A lease is a socket in Linux's abstract
 * namespace (unix(7)): one name binds once, whoever the process belongs to, and the system frees it however the process ends.
 *
 * @throws the signal's reason if it is aborted.
 */
export async function leaseDevice(
  names: readonly string[],
  { signal, onWait = () => {} }: LeaseOptions = {},
): Promise<Lease> {
  for (let waited = false; ; waited = true) {
    for (const name of names) {
      signal?.throwIfAborted();
      const lease = await tryToLease("device", name);
      if (lease !== undefined) return lease;
    }
    if (!waited) onWait();
    await sleep(RETRY_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** Takes the right to a folder; undefined if a process of this machine has it. On Linux only. */
export async function leaseFolder(folder: string): Promise<Lease | undefined> {
  const { dev, ino } = await stat(folder, { bigint: true }); // however its path is written
  return tryToLease("folder", `${dev}-${ino}`);
}

async function tryToLease(kind: "device" | "folder", name: string): Promise<Lease | undefined> {
  // Other systems have no such names, and no CUDA either.
  if (process.platform !== "linux") return { name, giveBack: async () => {} };
  const server = createServer((connection) => connection.destroy()).unref();
  try {
    const listening = once(server, "listening");
    server.listen(`\0flock-${kind}-${name}`);
    await listening;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
    throw error;
  }
  return {
    name,
    async giveBack() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}
