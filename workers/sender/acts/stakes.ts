import { encodeFunctionData } from "viem";
import { abis } from "../../../protocol/generated/abis.ts";
import { readAccount, readPosition } from "../../chain/accounts.ts";
import { lastWord } from "../../chain/endpoints.ts";
import type { Intent } from "../intents.ts";
import { isOwn } from "../key.ts";
import { type Act, type ActContext, untilDone } from "./act.ts";
import { requireOwn, told } from "./own.ts";

/** Stakes tokens of the operator's own, after allowing the vault to take them. */
export function stake(context: ActContext, { id, task, role, amount }: Extract<Intent, { kind: "stake" }>): Act {
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "stake", args: [task, role, amount] });
  return {
    once: true,
    first: { kind: "allow", id: `stake-${id}`, amount },
    async next() {
      requireOwn(context.key, "stake");
      return { call: { to: context.chain.deployment.addresses.Staking, data } };
    },
    effect: async (receipt) => told(context, receipt, "Staked", ({ countsFrom }) => ({ countsFrom })),
  };
}

/** Asks to leave with part of what the signing account has with an operator: its own stake, or what it delegated. */
export function requestExit(
  context: ActContext,
  { task, operator, amount }: Extract<Intent, { kind: "requestExit" }>,
): Act {
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "requestExit", args: [task, operator, amount] });
  return {
    once: true,
    next: async () => ({ call: { to: context.chain.deployment.addresses.Staking, data } }),
    effect: async (receipt) =>
      told(context, receipt, "ExitRequested", ({ exposedTo, unlockAt }) => ({ exposedTo, unlockAt })),
  };
}

/** Takes out what has left, to its owner; done when nothing is leaving or has left. */
export function withdraw(context: ActContext, { task, operator, owner }: Extract<Intent, { kind: "withdraw" }>): Act {
  const args = [task, operator, owner] as const;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "withdraw", args });
  return {
    async next() {
      const { leaving } = await readHolding(context, args);
      if (leaving === 0n) return { done: { amount: "0" } };
      return { call: { to: context.chain.deployment.addresses.Staking, data } };
    },
    effect: async (receipt) => told(context, receipt, "Withdrawn", ({ amount }) => ({ amount: String(amount) })),
  };
}

/** Takes out what was earned, to its owner; done when nothing is left to claim. */
export function claim(context: ActContext, { task, operator, owner }: Extract<Intent, { kind: "claim" }>): Act {
  const args = [task, operator, owner] as const;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "claim", args });
  return {
    async next() {
      const { claimable } = await readHolding(context, args);
      if (claimable === 0n) return { done: { amount: "0" } };
      return { call: { to: context.chain.deployment.addresses.Staking, data } };
    },
    effect: async (receipt) => told(context, receipt, "Claimed", ({ amount }) => ({ amount: String(amount) })),
  };
}

/** Says where the operator's store can be reached; done when that was the last word of it or of its signer. */
export function announce({ chain, key }: ActContext, { endpoint }: Extract<Intent, { kind: "announce" }>): Act {
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "announce", args: [endpoint] });
  const next: Act["next"] = async () => {
    if ((await lastWord(chain, isOwn(key) ? [key.operator] : [key.operator, key.address])) === endpoint) {
      return { done: { endpoint } };
    }
    return { call: { to: chain.deployment.addresses.Staking, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** Lets the vault take this much, and not a wei more. */
export function allow({ chain, key }: ActContext, { amount }: Extract<Intent, { kind: "allow" }>): Act {
  const { FlockToken, Staking } = chain.deployment.addresses;
  const token = { address: FlockToken, abi: abis.FlockToken } as const;
  const data = encodeFunctionData({ abi: abis.FlockToken, functionName: "approve", args: [Staking, amount] });
  const next: Act["next"] = async () => {
    const allowed = await chain.client.readContract({
      ...token,
      functionName: "allowance",
      args: [key.address, Staking],
    });
    return allowed >= amount ? { done: { allowed: String(allowed) } } : { call: { to: FlockToken, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** What an owner's stake with an operator comes to: its own account, or its position as a delegator. */
async function readHolding(
  { chain }: ActContext,
  [task, operator, owner]: readonly [bigint, `0x${string}`, `0x${string}`],
): Promise<{ leaving: bigint; claimable: bigint }> {
  if (operator === owner) {
    const { left, leaving, claimable } = await readAccount(chain, task, operator);
    return { leaving: left + leaving, claimable };
  }
  const { left, leaving, claimable } = await readPosition(chain, task, operator, owner);
  return { leaving: left + leaving, claimable };
}
