import { type Address, getAddress } from "viem";
import { readEvents } from "./logs.ts";
import type { Chain } from "./open.ts";

/** A reorganisation of the chain never reaches back this far. */
const SETTLED_DEPTH = 128n;

/** Where operators say that their stores can be reached; an operator's last word counts. */
export type Endpoints = {
  at(block: bigint): Promise<Map<Address, string>>;
};

/** Remembers what was announced, so that each look reads only the newest blocks. */
export function openEndpoints(chain: Chain): Endpoints {
  const known = new Map<Address, string>();
  let next = BigInt(chain.deployment.block);

  return {
    async at(block) {
      const logs = await readEvents(chain, {
        contract: "Staking",
        event: "EndpointAnnounced",
        fromBlock: next,
        toBlock: block,
      });
      const now = new Map(known);
      for (const { args, blockNumber } of logs) {
        const operator = getAddress(args.operator);
        now.set(operator, args.endpoint);
        if (blockNumber + SETTLED_DEPTH <= block) known.set(operator, args.endpoint);
      }
      if (block >= SETTLED_DEPTH && block - SETTLED_DEPTH + 1n > next) next = block - SETTLED_DEPTH + 1n;
      return now;
    },
  };
}
