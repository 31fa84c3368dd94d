import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a request becomes: `forward` asks the chain; throwing `lost` breaks the connection without an answer. */
export type Meddle = (
  request: { method: string; params: unknown[] },
  forward: () => Promise<unknown>,
) => Promise<unknown>;

export const lost = new Error("the connection is lost");

export type RpcProxy = {
  url: string;
  /** How requests are answered from now on; honestly by default. */
  meddle: Meddle;
  /** Methods that were asked for, in order. */
  seen: string[];
  close(): Promise<void>;
};

/** A server of a chain that lies, drops and delays as told. */
export async function startRpcProxy(target: string): Promise<RpcProxy> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { id, method, params = [] } = JSON.parse(Buffer.concat(chunks).toString());
    proxy.seen.push(method);
    const forward = async () => {
      const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
      const answer = await fetch(target, { method: "POST", headers: { "content-type": "application/json" }, body });
      const { result, error } = (await answer.json()) as { result?: unknown; error?: object };
      if (error !== undefined) throw Object.assign(new Error("refused"), { error });
      return result;
    };
    try {
      const result = await proxy.meddle({ method, params }, forward);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    } catch (error) {
      if (error === lost) {
        request.socket.destroy();
        return;
      }
      const told = (error as { error?: object }).error ?? { code: -32000, message: (error as Error).message };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ jsonrpc: "2.0", id, error: told }));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: RpcProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    meddle: (_request, forward) => forward(),
    seen: [],
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return proxy;
}
