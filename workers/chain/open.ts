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
import { reach } from "./failure.ts";

const TIMEOUT_MS = 15_000;

export type OpenChainParameters = {
  /** Servers of the chain; the first that answers is asked, the others stand by. */
  rpcUrls: string[];
  chainId: number;
  deployment: Deployment;
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
export async function openChain({ rpcUrls, chainId, deployment }: OpenChainParameters): Promise<Chain> {
  if (deployment.chainId !== chainId) throw wrongChain("The deployment", deployment.chainId, chainId);
  const genesis = await agreedGenesis(rpcUrls, chainId);
  const client = createPublicClient({
    chain: flockChain(chainId, rpcUrls),
    transport: fallback(
      rpcUrls.map((url) => http(url, { timeout: TIMEOUT_MS, retryCount: 1 })),
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

/** Asks every server for itself: one of another chain among them would be found out too late. */
async function agreedGenesis(rpcUrls: string[], chainId: number): Promise<Hex> {
  const answers = await Promise.allSettled(rpcUrls.map((url) => identify(url, chainId)));
  const silent: string[] = [];
  let agreed: { url: string; genesis: Hex } | undefined;
  for (const [index, answer] of answers.entries()) {
    const url = nameOf(rpcUrls[index] as string);
    if (answer.status === "rejected") {
      if (answer.reason instanceof PermanentError) throw answer.reason;
      silent.push(url);
    } else if (agreed !== undefined && agreed.genesis !== answer.value) {
      throw new PermanentError(
        `The servers ${agreed.url} and ${url} are of two different chains with the id ${chainId}: use servers of one.`,
        { exitCode: ExitCode.chain },
      );
    } else agreed = { url, genesis: answer.value };
  }
  if (agreed !== undefined) return agreed.genesis;
  throw new PassingError(`No server of the chain answers (${silent.join(", ")}): check the address and try again.`);
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
