import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createPostgresBackend, Queue } from "bullmq";
import pg from "pg";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { startGuarded } from "../processes/guardedChild.ts";
import type { QueueBackend } from "./types.ts";

/** PGlite takes about ten seconds to make its folder on a small machine; a busy one is given more. */
const START_MS = 90_000;

/**
 * Brings the queue's tables up to date.
 * @throws PassingError if the server does not answer or refuses.
 */
export async function migratePostgres(url: string): Promise<void> {
  const queue = new Queue(
    "migration",
    { connection: { connectionString: url, max: 1, migrate: true } },
    createPostgresBackend as unknown as undefined,
  );
  queue.on("error", () => {});
  try {
    await queue.waitUntilReady();
  } catch (error) {
    throw new PassingError(`The Postgres server for the queue cannot be used: ${(error as Error).message}.`, {
      cause: error,
    });
  } finally {
    await queue.close().catch(() => {});
  }
}

/** Starts the embedded Postgres, whose data lives in `dir`. It comes back if it dies and ends with us. */
export async function startPglite(dir: string): Promise<QueueBackend> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const socketDir = await mkdtemp(join(tmpdir(), "flock-pglite-"));
  const log = join(dir, "server.log");
  const child = await startGuarded({
    command: process.execPath,
    args: [
      fileURLToPath(new URL("./pgliteServer.ts", import.meta.url)),
      join(dir, "data"),
      join(socketDir, ".s.PGSQL.5432"),
    ],
    log,
    restart: true,
  });
  const close = async () => {
    await child.stop();
    await rm(socketDir, { recursive: true, force: true });
  };
  const url = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(socketDir)}`;
  try {
    await waitForServer(url, log);
    await migratePostgres(url);
  } catch (error) {
    await close();
    throw error;
  }
  return { kind: "pglite", connection: { postgres: url }, pid: child.pid, close };
}

async function waitForServer(url: string, log: string): Promise<void> {
  for (const deadline = Date.now() + START_MS; ; await sleep(100)) {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query("SELECT 1");
      return;
    } catch (cause) {
      if (Date.now() > deadline) {
        throw new PermanentError(`The embedded Postgres was started and does not answer; its messages are in ${log}.`, {
          cause,
        });
      }
    } finally {
      await client.end().catch(() => {});
    }
  }
}
