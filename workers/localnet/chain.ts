import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createPublicClient, createTestClient, http, type PublicClient, type TestClient } from "viem";
import { hardhat } from "viem/chains";
import { PermanentError } from "../../protocol/errors.ts";
import { type GuardedChild, startGuarded } from "../processes/guardedChild.ts";

/** The port that Ethereum's tools expect; a free one if it is taken. */
const USUAL_PORT = 8545;
/** Blocks come by themselves as well as with every transaction: a round's seed is the hash of a later block. */
const BLOCK_MS = 1000;
/** Between two looks for a receipt. */
const POLL_MS = 50;
const START_ATTEMPTS = 300;
const START_PAUSE_MS = 200;

export type LocalChain = {
  url: string;
  chainId: number;
  client: PublicClient;
  /** Moves the chain's clock. */
  clock: TestClient;
  process: GuardedChild;
};

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** The usual port if nobody has it, else one that the system picks. */
async function freePort(usual: number): Promise<number> {
  if (await isFree(usual)) return usual;
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** The file behind the `hardhat` command, so that it can be started without a shell. */
function hardhatCommand(): string {
  const manifest = createRequire(import.meta.url).resolve("hardhat/package.json");
  return join(dirname(manifest), "dist/src/cli.js");
}

/**
 * Starts a chain of our own (`hardhat node`) that ends with us.
 * @throws PermanentError if it does not answer.
 */
export async function startChain({ log }: { log: string }): Promise<LocalChain> {
  const port = await freePort(USUAL_PORT);
  const url = `http://127.0.0.1:${port}`;
  const process_ = await startGuarded({
    command: process.execPath,
    args: [hardhatCommand(), "node", "--port", String(port), "--hostname", "127.0.0.1"],
    log,
  });
  const transport = http(url);
  const client = createPublicClient({ chain: hardhat, transport, cacheTime: 0, pollingInterval: POLL_MS });
  const clock = createTestClient({ chain: hardhat, mode: "hardhat", transport });
  for (let attempt = 0; attempt < START_ATTEMPTS && !process_.ended(); attempt++) {
    try {
      const chainId = await client.getChainId();
      await clock.setIntervalMining({ interval: BLOCK_MS / 1000 });
      return { url, chainId, client, clock, process: process_ };
    } catch {
      await sleep(START_PAUSE_MS);
    }
  }
  await process_.stop();
  throw new PermanentError(`The local chain did not start at ${url}; its messages are in ${log}.`);
}
