import {
  createPublicClient,
  defineChain,
  fallback,
  type Hex,
  http,
  type PublicClient,
  type Transport,
  type Chain as ViemChain,
} from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import { ExitCode, PassingError, PermanentError } from "../../protocol/errors.ts";
import type { Logger } from "../log.ts";
import { reach } from "./failure.ts";

const TIMEOUT_MS = 15_000;

export type OpenChainParameters = {
  /** Servers of the chain; the first is asked, the others stand by. One that does not answer now is left out. */
  rpcUrls: string[];
  chainId: number;
  deployment: Deployment;
  log?: Logger | undefined;
};

/** A way to the chain, checked to be the right one. */
export type Chain = {
  client: PublicClient<Transport, ViemChain>;
  chainId: number;
  /** Hash of block 0: tells two local chains of one id apart. */
  genesis: Hex;
  deployment: Deployment;
};

/**
 * Connects to the chain of a deployment.
 * @throws PermanentError if a server is of another chain or the contracts are not there, PassingError if no server answers.
 */
export async function openChain({ rpcUrls, chainId, deployment, log }: OpenChainParameters): Promise<Chain> {
  if (deployment.chainId !== chainId) throw wrongChain("The deployment", deployment.chainId, chainId);
  const { genesis, answering, silent } = await askServers(rpcUrls, chainId);
  // It might be of another chain, and nobody would notice later.
  for (const url of silent) log?.warn({ server: nameOf(url) }, "a server of the chain does not answer and is left out");
  const client = createPublicClient({
    chain: flockChain(chainId, rpcUrls),
    transport: fallback(
      answering.map((url) => http(url, { timeout: TIMEOUT_MS, retryCount: 1 })),
      { retryCount: 1 },
    ),
    // A stale answer about the newest block would make a stale decision.
    cacheTime: 0,
  });
  const { Rounds } = deployment.addresses;
  const code = await reach("looking for the contracts", () => client.getCode({ address: Rounds }));
  if (code === undefined) {
    throw new PermanentError(
      `There is no contract at ${Rounds} on chain ${chainId}, where the deployment has Rounds: use the deployment of this very chain.`,
      { exitCode: ExitCode.chain },
    );
  }
  return { client, chainId, genesis, deployment };
}

type Servers = { genesis: Hex; answering: string[]; silent: string[] };

/** Asks every server for itself: one of another chain among them would be found out too late. */
async function askServers(rpcUrls: string[], chainId: number): Promise<Servers> {
  const answers = await Promise.allSettled(rpcUrls.map((url) => identify(url, chainId)));
  const answering: string[] = [];
  const silent: string[] = [];
  let genesis: Hex | undefined;
  for (const [index, answer] of answers.entries()) {
    const url = rpcUrls[index] as string;
    if (answer.status === "rejected") {
      if (answer.reason instanceof PermanentError) throw answer.reason;
      silent.push(url);
      continue;
    }
    if (genesis !== undefined && genesis !== answer.value) {
      throw new PermanentError(
        `The servers ${nameOf(answering[0] as string)} and ${nameOf(url)} are of two different chains with the id ${chainId}: use servers of one.`,
        { exitCode: ExitCode.chain },
      );
    }
    genesis = answer.value;
    answering.push(url);
  }
  if (genesis !== undefined) return { genesis, answering, silent };
  const names = silent.map(nameOf).join(", ");
  throw new PassingError(`No server of the chain answers (${names}): check the address and try again.`);
}

async function identify(url: string, chainId: number): Promise<Hex> {
  const client = createPublicClient({ transport: http(url, { timeout: TIMEOUT_MS, retryCount: 1 }) });
  const found = await client.getChainId();
  if (found !== chainId) throw wrongChain(`The server ${nameOf(url)}`, found, chainId);
  return (await client.getBlock({ blockNumber: 0n })).hash;
}

function wrongChain(who: string, found: number, expected: number): PermanentError {
  return new PermanentError(`${who} is of chain ${found}, but chain ${expected} is configured: use one of the same.`, {
    exitCode: ExitCode.chain,
  });
}

function flockChain(id: number, urls: string[]): ViemChain {
  return defineChain({
    id,
    name: `chain ${id}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: urls } },
  });
}

/** A URL for messages: its path often holds the key of an account with the provider. */
function nameOf(url: string): string {
  return URL.parse(url)?.origin ?? "(not a URL)";
}
