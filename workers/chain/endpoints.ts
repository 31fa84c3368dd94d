import { type Address, getAddress } from "viem";
import { isAfter } from "./accounts.ts";
import { readEvents } from "./logs.ts";
import type { Chain } from "./open.ts";

/** A reorganisation of the chain never reaches back this far. */
const SETTLED_DEPTH = 128n;

/** Where operators of a task say that their stores can be reached; the last word of an operator or of its signer counts. */
export type Endpoints = {
  at(block: bigint): Promise<Map<Address, string>>;
};

type Word = { endpoint: string; blockNumber: bigint; logIndex: number };
type Known = { words: Map<Address, Word>; signers: Map<Address, Address> };

/** Remembers what was announced, so that each look reads only the newest blocks. */
export function openEndpoints(chain: Chain, task: bigint): Endpoints {
  const known: Known = { words: new Map(), signers: new Map() };
  let next = BigInt(chain.deployment.block);

  return {
    async at(block) {
      const range = { fromBlock: next, toBlock: block };
      const [announced, named, revoked] = await Promise.all([
        readEvents(chain, { contract: "Staking", event: "EndpointAnnounced", ...range }),
        readEvents(chain, { contract: "Staking", event: "SignerSet", args: { task }, ...range }),
        readEvents(chain, { contract: "Staking", event: "SignerRevoked", args: { task }, ...range }),
      ]);
      const now = { words: new Map(known.words), signers: new Map(known.signers) };
      const into = (blockNumber: bigint) => (blockNumber + SETTLED_DEPTH <= block ? [now, known] : [now]);
      for (const { args, blockNumber, logIndex } of announced) {
        const word = { endpoint: args.endpoint, blockNumber, logIndex };
        for (const { words } of into(blockNumber)) words.set(getAddress(args.operator), word);
      }
      const changes = [...named, ...revoked].sort((a, b) => (isAfter(a, b) ? 1 : -1));
      for (const { eventName, args, blockNumber } of changes) {
        const operator = getAddress(args.operator);
        for (const { signers } of into(blockNumber)) {
          if (eventName === "SignerSet") signers.set(operator, getAddress(args.signer));
          else signers.delete(operator);
        }
      }
      if (block >= SETTLED_DEPTH && block - SETTLED_DEPTH + 1n > next) next = block - SETTLED_DEPTH + 1n;
      return endpointsOf(now);
    },
  };
}

/** Everybody's last word; for an operator that named a signer, the later of the two. */
function endpointsOf({ words, signers }: Known): Map<Address, string> {
  const endpoints = new Map([...words].map(([who, { endpoint }]) => [who, endpoint]));
  for (const [operator, signer] of signers) {
    const [own, its] = [words.get(operator), words.get(signer)];
    if (its === undefined || (own !== undefined && isAfter(own, its))) continue;
    endpoints.set(operator, its.endpoint);
    endpoints.delete(signer);
  }
  return endpoints;
}

/** The last endpoint that any of these accounts announced; undefined if none did. */
export async function lastWord(chain: Chain, accounts: Address[]): Promise<string | undefined> {
  const said = await readEvents(chain, {
    contract: "Staking",
    event: "EndpointAnnounced",
    args: { operator: accounts },
    fromBlock: BigInt(chain.deployment.block),
    toBlock: await chain.client.getBlockNumber(),
  });
  return said.at(-1)?.args.endpoint;
}
