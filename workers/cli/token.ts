import { formatUnits } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import { reach } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";

/** The token of a deployment: how many decimals it has and what it is called. */
export type Token = { symbol: string; decimals: number; show(amount: bigint): string };

export async function readToken({ client, deployment }: Chain): Promise<Token> {
  const token = { address: deployment.addresses.FlockToken, abi: abis.FlockToken } as const;
  const [symbol, decimals] = await reach("reading the token", () =>
    Promise.all([
      client.readContract({ ...token, functionName: "symbol" }),
      client.readContract({ ...token, functionName: "decimals" }),
    ]),
  );
  return { symbol, decimals, show: (amount) => `${formatUnits(amount, decimals)} ${symbol}` };
}
