import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { Hex } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import type { Logger } from "../log.ts";
import type { Store } from "./store.ts";

const PATH = /^\/artifacts\/([0-9a-f]{64})$/;
const MAX_CONNECTIONS = 256;

export type ServeParameters = {
  host?: string | undefined;
  /** 0 takes any free port. */
  port?: number | undefined;
  log?: Logger | undefined;
};

export type StoreServer = { url: string; close(): Promise<void> };

/**
 * Lets others fetch the store's files: GET and HEAD of /artifacts/<64 hex digits>, nothing else.
 * @throws PermanentError (usage) if the address is taken or not this machine's.
 */
export async function serveStore(
  store: Store,
  { host = "127.0.0.1", port = 0, log }: ServeParameters = {},
): Promise<StoreServer> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    answer(store, request, response).catch((error: Error) => {
      log?.warn({ reason: error.message, path: request.url }, "an artifact could not be served");
      if (!response.headersSent) response.writeHead(500);
      response.destroy();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  // Whoever stops reading does not hold a connection for ever.
  server.setTimeout(60_000);
  server.listen(port, host);
  await once(server, "listening").catch((cause: NodeJS.ErrnoException) => {
    throw new PermanentError(
      `The store cannot be served at ${host}:${port} (${cause.code}): name another store.host or store.port.`,
      { cause, exitCode: ExitCode.usage },
    );
  });
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const name = PATH.exec(request.url ?? "")?.[1];
  const file = name === undefined ? undefined : await store.open(`0x${name}` as Hex).catch(() => undefined);
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  try {
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": file.bytes,
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
    });
    if (request.method === "HEAD") response.end();
    else await pipeline(file.handle.createReadStream({ start: 0, autoClose: false }), response);
  } finally {
    await file.handle.close();
  }
}
