/**
 * Serves an embedded Postgres (PGlite) on a unix socket: `node pgliteServer.ts FOLDER SOCKET`.
 *
 * All clients share the one session that PGlite has. Two things follow. BullMQ sets its `search_path` per connection, which is
 * lost here, so it is made the database's own. And a NOTIFY comes back on the connection that caused it, not on the one that
 * listens, so every notification is passed on to all.
 */
import { rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { splitNotifications } from "./notifications.ts";

const [folder, path] = process.argv.slice(2) as [string, string];

const db = await PGlite.create(folder);
await db.exec(
  "CREATE SCHEMA IF NOT EXISTS bullmq; ALTER DATABASE postgres SET search_path = bullmq, public; SET search_path = bullmq, public;",
);

// A server that was killed leaves its socket behind.
await rm(path, { force: true });
const server = new PGLiteSocketServer({ db, path, maxConnections: 1_000 });
// The package shows nobody its clients; its version is pinned.
const { handlers } = server as unknown as { handlers: Set<{ socket: Socket | null }> };

const execute = db.execProtocolRawStream.bind(db);
db.execProtocolRawStream = async (message, options) => {
  const chunks: Uint8Array[] = [];
  await execute(message, { ...options, onRawData: (chunk) => chunks.push(chunk.slice()) });
  const { notifications, rest } = splitNotifications(Buffer.concat(chunks));
  if (rest.length > 0) options?.onRawData(rest);
  if (notifications.length === 0) return;
  for (const { socket } of handlers) socket?.write(notifications);
};

await server.start();

async function stop(): Promise<void> {
  await server.stop();
  await db.close();
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
