import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { migratePostgres, startPglite } from "./postgres.ts";
import { checkRedis, startRedis } from "./redis.ts";
import type { QueueBackend } from "./types.ts";

export type OpenQueueBackendParameters = {
  /** Folder for the data of a server that we start ourselves; the same folder finds its jobs again. */
  dir: string;
  /** `redis://`, `rediss://` or `unix://` address of a running Redis or Valkey. */
  url?: string | undefined;
  /** `postgres://` address of a running Postgres (13 or newer). */
  databaseUrl?: string | undefined;
  /** REDIS_URL, DATABASE_URL and PATH are read from here. */
  env?: NodeJS.ProcessEnv | undefined;
};

/**
 * Finds the queue server, in this order: an address that was given (Redis before Postgres); `valkey-server` or `redis-server`
 * from the PATH, started privately; the embedded Postgres that comes with npm, good enough for one machine.
 * @throws PermanentError for a Redis that evicts, PassingError for a server that does not answer.
 */
export async function openQueueBackend({
  dir,
  url,
  databaseUrl,
  env = process.env,
}: OpenQueueBackendParameters): Promise<QueueBackend> {
  const redis = url ?? (databaseUrl === undefined ? env.REDIS_URL : undefined);
  if (redis) {
    await checkRedis(redis);
    return { kind: "redis", connection: { redis }, pid: () => undefined, close: async () => {} };
  }
  const postgres = databaseUrl ?? env.DATABASE_URL;
  if (postgres) {
    await migratePostgres(postgres);
    return { kind: "postgres", connection: { postgres }, pid: () => undefined, close: async () => {} };
  }
  const command = (await onPath("valkey-server", env)) ?? (await onPath("redis-server", env));
  if (command !== undefined) return startRedis(command, join(dir, "redis"));
  return startPglite(join(dir, "pglite"));
}

async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env.PATH ?? "").split(delimiter).filter((entry) => entry !== "")) {
    const file = join(folder, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}
