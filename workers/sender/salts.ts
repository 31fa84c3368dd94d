import { createHmac } from "node:crypto";
import type { Address, Hex } from "viem";

/** What a salt belongs to: one commitment, and no other on any chain. */
export type SaltFacts = {
  type: "proposal" | "ballot";
  chainId: number;
  contract: Address;
  task: bigint;
  round: number;
  operator: Address;
};

/**
 * The 32-byte salt of a commitment: HMAC-SHA256 of its facts under the operator's secret. It is derived whenever it is
 * needed and stored nowhere, so a lost disk loses no salt, and one opened salt says nothing about another.
 */
export function saltOf(secret: Uint8Array, { type, chainId, contract, task, round, operator }: SaltFacts): Hex {
  const facts = [type, chainId, contract.toLowerCase(), task, round, operator.toLowerCase()].join("|");
  return `0x${createHmac("sha256", secret).update(facts).digest("hex")}`;
}
