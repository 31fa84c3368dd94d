import { type Address, encodeFunctionData, parseEventLogs, type TransactionReceipt } from "viem";
import { abis } from "../../../protocol/generated/abis.ts";
import { readEvents } from "../../chain/logs.ts";
import type { JsonObject } from "../../queue/types.ts";
import type { Intent } from "../intents.ts";
import { type Act, type ActContext, untilDone } from "./act.ts";

/** Stakes tokens, after allowing the vault to take them. */
export function stake(context: ActContext, { id, task, role, amount }: Extract<Intent, { kind: "stake" }>): Act {
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "stake", args: [task, role, amount] });
  return {
    once: true,
    first: { kind: "allow", id: `stake-${id}`, amount },
    next: async () => ({ call: { to: context.chain.deployment.addresses.Staking, data } }),
    effect: async (receipt) => told(context, receipt, "Staked", ({ countsFrom }) => ({ countsFrom })),
  };
}

/** Asks to leave with part of the stake. */
export function requestExit(context: ActContext, { task, amount }: Extract<Intent, { kind: "requestExit" }>): Act {
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "requestExit", args: [task, amount] });
  return {
    once: true,
    next: async () => ({ call: { to: context.chain.deployment.addresses.Staking, data } }),
    effect: async (receipt) =>
      told(context, receipt, "ExitRequested", ({ exposedTo, unlockAt }) => ({ exposedTo, unlockAt })),
  };
}

/** Takes out what has left; done when nothing is leaving or has left. */
export function withdraw(context: ActContext, { task }: Extract<Intent, { kind: "withdraw" }>): Act {
  const args = [task, context.key.address] as const;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "withdraw", args });
  return {
    async next() {
      const { left, leaving } = await readAccount(context, task);
      if (left + leaving === 0n) return { done: { amount: "0" } };
      return { call: { to: context.chain.deployment.addresses.Staking, data } };
    },
    effect: async (receipt) => told(context, receipt, "Withdrawn", ({ amount }) => ({ amount: String(amount) })),
  };
}

/** Takes out what was earned; done when nothing is left to claim. */
export function claim(context: ActContext, { task }: Extract<Intent, { kind: "claim" }>): Act {
  const args = [task, context.key.address] as const;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "claim", args });
  return {
    async next() {
      const { claimable } = await readAccount(context, task);
      if (claimable === 0n) return { done: { amount: "0" } };
      return { call: { to: context.chain.deployment.addresses.Staking, data } };
    },
    effect: async (receipt) => told(context, receipt, "Claimed", ({ amount }) => ({ amount: String(amount) })),
  };
}

/** Says where the operator's store can be reached; done when that was its last word. */
export function announce(context: ActContext, { endpoint }: Extract<Intent, { kind: "announce" }>): Act {
  const { chain, key } = context;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "announce", args: [endpoint] });
  const next: Act["next"] = async () => {
    const said = await readEvents(chain, {
      contract: "Staking",
      event: "EndpointAnnounced",
      args: { operator: key.address },
      fromBlock: BigInt(chain.deployment.block),
      toBlock: await chain.client.getBlockNumber(),
    });
    if (said.at(-1)?.args.endpoint === endpoint) return { done: { endpoint } };
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

function readAccount({ chain, key }: ActContext, task: bigint) {
  return chain.client.readContract({
    address: chain.deployment.addresses.Staking,
    abi: abis.Staking,
    functionName: "account",
    args: [task, key.address],
  });
}

type StakingEvent = "Staked" | "ExitRequested" | "Withdrawn" | "Claimed";
type EventArgs<E extends StakingEvent> = ReturnType<
  typeof parseEventLogs<typeof abis.Staking, true, E>
>[number]["args"];

/** What the receipt says that happened to this operator. */
function told<E extends StakingEvent>(
  { chain, key }: ActContext,
  { logs }: TransactionReceipt,
  eventName: E,
  result: (args: EventArgs<E>) => JsonObject,
): JsonObject | undefined {
  const address: Address = chain.deployment.addresses.Staking;
  const found = parseEventLogs({ abi: abis.Staking, eventName, logs }).find(
    (log) =>
      log.address.toLowerCase() === address.toLowerCase() &&
      (log.args as unknown as { operator: Address }).operator.toLowerCase() === key.address.toLowerCase(),
  );
  return found === undefined ? undefined : result(found.args as EventArgs<E>);
}
