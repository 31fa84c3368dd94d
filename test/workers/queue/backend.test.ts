import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { openQueueBackend } from "../../../workers/queue/backend.ts";
import { requires } from "../../support/requires.ts";
import { until } from "../../support/until.ts";

describe("the queue server", { skip: requires("redis-server") }, () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "flock-backend-test-"));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const address = (connection: object) => (connection as { redis: string }).redis;

  test("is the one whose address is given, and is left running", async () => {
    const server = await openQueueBackend({ dir: join(dir, "given") });
    const found = await openQueueBackend({ dir, env: { REDIS_URL: address(server.connection) } });
    assert.equal(found.kind, "redis");
    assert.deepEqual(found.connection, server.connection);
    await found.close();
    const again = await openQueueBackend({ dir, url: address(server.connection), env: {} });
    assert.deepEqual(again.connection, server.connection);
    await server.close();
  });

  test("is refused if it throws jobs away to make room", async () => {
    const server = await openQueueBackend({ dir: join(dir, "evicting") });
    const client = new Redis(address(server.connection).slice("unix://".length));
    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    client.disconnect();
    await assert.rejects(openQueueBackend({ dir, url: address(server.connection) }), (error: Error) => {
      assert.ok(error instanceof PermanentError);
      assert.match(error.message, /maxmemory-policy allkeys-lru.*set it to noeviction\.$/);
      return true;
    });
    await server.close();
  });

  test("is reported in one sentence, without the password, if it cannot be reached", async () => {
    await assert.rejects(openQueueBackend({ dir, url: "redis://user:hidden@127.0.0.1:9" }), (error: Error) => {
      assert.ok(error instanceof PassingError);
      assert.equal(
        error.message,
        "The Redis server at redis://127.0.0.1:9 cannot be used: connect ECONNREFUSED 127.0.0.1:9.",
      );
      return true;
    });
    await assert.rejects(openQueueBackend({ dir, databaseUrl: "postgres://127.0.0.1:9/x" }), PassingError);
  });

  test("ends when the process that started it is killed", async () => {
    const script = fileURLToPath(new URL("../../support/queueOwner.ts", import.meta.url));
    const owner = spawn(process.execPath, [script, join(dir, "orphan")], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = Number(String((await once(owner.stdout, "data"))[0]));
    assert.ok(isAlive(pid));
    owner.kill("SIGKILL");
    await until(() => !isAlive(pid));
  });

  test("ends although its guard is killed", async () => {
    const server = await openQueueBackend({ dir: join(dir, "guardless") });
    const pid = server.pid() as number;
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    process.kill(Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]), "SIGKILL");
    await until(() => !isAlive(pid));
    await server.close();
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
