import { formatEther, formatUnits } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import type { Terms } from "../../protocol/terms.ts";
import { BPS } from "../../protocol/words.ts";
import { reach } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";
import type { AccountConfig } from "../config.ts";
import { marketFees } from "../sender/fees.ts";

/** Gas of one accusation, with room. */
const ACCUSE_GAS = 80_000n;

/** What an accuser gets at most, in the token's smallest unit: a tenth of the fault of one seat. */
export function bountyOf({ seatStake, absentBps }: Pick<Terms, "seatStake" | "absentBps">): bigint {
  const fault = (seatStake * BigInt(absentBps) + BigInt(BPS) - 1n) / BigInt(BPS);
  return fault / 10n;
}

/** A function that says whether an accusation pays: always, never, or if the bounty is worth more than its gas costs now. */
export function openWorth(chain: Chain, accuse: AccountConfig["accuse"]): (terms: Terms) => Promise<boolean> {
  let decimals: number | undefined;
  return async (terms) => {
    if (typeof accuse === "boolean") return accuse;
    decimals ??= await reach("reading the token", () =>
      chain.client.readContract({
        address: chain.deployment.addresses.FlockToken,
        abi: abis.FlockToken,
        functionName: "decimals",
      }),
    );
    const { maxFeePerGas } = await reach("reading the price of gas", () => marketFees(chain));
    const earned = Number(formatUnits(bountyOf(terms), decimals)) * accuse;
    return earned > Number(formatEther(ACCUSE_GAS * maxFeePerGas));
  };
}
