import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { startGuarded } from "../processes/guardedChild.ts";
import type { QueueBackend } from "./types.ts";

const START_MS = 20_000;

/**
 * Checks that a Redis answers and never throws jobs away to make room.
 * @throws PassingError if it does not answer, PermanentError if its policy is another than `noeviction`.
 */
export async function checkRedis(url: string): Promise<void> {
  const client = new Redis(url.replace(/^unix:\/\//, ""), {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    retryStrategy: () => null,
  });
  let reason = "no connection";
  client.on("error", (error: Error) => {
    reason = error.message || error.name;
  });
  try {
    await client.connect();
    // INFO rather than CONFIG GET: hosted servers often forbid the latter.
    const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info("memory"))?.[1] ?? "unknown";
    if (policy !== "noeviction") {
      throw new PermanentError(
        `The Redis server at ${withoutPassword(url)} has maxmemory-policy ${policy} and would throw jobs away: set it to noeviction.`,
      );
    }
  } catch (error) {
    if (error instanceof PermanentError) throw error;
    throw new PassingError(
      `The Redis server at ${withoutPassword(url)} cannot be used: ${reason === "no connection" ? (error as Error).message : reason}.`,
    );
  } finally {
    client.disconnect();
  }
}

/**
 * Starts a private server whose data lives in `dir`. It listens on a unix socket that only this user can open, comes back if it
 * dies, and ends with us.
 */
export async function startRedis(command: string, dir: string): Promise<QueueBackend> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // The path of a unix socket holds about a hundred characters; a run folder may be longer.
  const socketDir = await mkdtemp(join(tmpdir(), "flock-redis-"));
  const socket = join(socketDir, "redis.sock");
  const log = join(dir, "server.log");
  const settings = {
    "--port": "0",
    "--unixsocket": socket,
    "--unixsocketperm": "700",
    "--dir": dir,
    "--appendonly": "yes",
    "--appendfsync": "everysec",
    "--save": "",
    "--maxmemory-policy": "noeviction",
  };
  const child = await startGuarded({ command, args: Object.entries(settings).flat(), log, restart: true });
  const close = async () => {
    await child.stop();
    await rm(socketDir, { recursive: true, force: true });
  };
  const url = `unix://${socket}`;
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      await checkRedis(url);
      return { kind: "redis", connection: { redis: url }, pid: child.pid, close };
    } catch (error) {
      if (Date.now() > deadline) {
        await close();
        throw new PermanentError(`${command} was started and does not answer; its messages are in ${log}.`, {
          cause: error,
        });
      }
      await sleep(50);
    }
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
