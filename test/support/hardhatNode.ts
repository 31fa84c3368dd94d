import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestClient, http, publicActions, walletActions } from "viem";
import { hardhat } from "viem/chains";

export type Node = Awaited<ReturnType<typeof startNode>>;

/** Starts `hardhat node` in the project of `cwd`, without contracts, for the time of a test. */
export async function startNode(t: TestContext, cwd: string) {
  const port = await freePort();
  const args = ["node_modules/hardhat/dist/src/cli.js", "node", "--hostname", "127.0.0.1", "--port", String(port)];
  const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
  let [stderr, ended] = ["", false];
  child.stderr.on("data", (chunk) => (stderr += chunk));
  child.on("exit", () => (ended = true));
  t.after(async () => {
    child.kill();
    if (!ended) await once(child, "exit");
  });

  const url = `http://127.0.0.1:${port}`;
  const transport = http(url, { retryCount: 0 });
  const client = createTestClient({ mode: "hardhat", chain: hardhat, transport, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions);
  while (!(await client.getChainId().catch(() => undefined))) {
    if (ended) throw new Error(`hardhat node ended: ${stderr}`);
    await sleep(100);
  }
  return { url, client };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
