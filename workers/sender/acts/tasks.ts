import { encodeFunctionData, parseEventLogs } from "viem";
import { abis } from "../../../protocol/generated/abis.ts";
import type { Intent } from "../intents.ts";
import { type Act, type ActContext, untilDone } from "./act.ts";

/** Creates a task; its number is in the result. */
export function createTask({ chain }: ActContext, { terms, manifest }: Extract<Intent, { kind: "createTask" }>): Act {
  const { TaskRegistry } = chain.deployment.addresses;
  const data = encodeFunctionData({ abi: abis.TaskRegistry, functionName: "createTask", args: [terms, manifest] });
  return {
    once: true,
    next: async () => ({ call: { to: TaskRegistry, data } }),
    async effect({ logs }) {
      const [created] = parseEventLogs({ abi: abis.TaskRegistry, eventName: "TaskCreated", logs });
      return created === undefined ? undefined : { task: String(created.args.task) };
    },
  };
}

/** Puts tokens into a task's pot, after allowing the vault to take them. */
export function fund({ chain }: ActContext, { id, task, amount }: Extract<Intent, { kind: "fund" }>): Act {
  const data = encodeFunctionData({ abi: abis.RewardDistributor, functionName: "fund", args: [task, amount] });
  return {
    once: true,
    first: { kind: "allow", id: `fund-${id}`, amount },
    next: async () => ({ call: { to: chain.deployment.addresses.RewardDistributor, data } }),
    async effect({ logs }) {
      const [funded] = parseEventLogs({ abi: abis.RewardDistributor, eventName: "Funded", logs });
      return funded === undefined ? undefined : { refundable: funded.args.refundable };
    },
  };
}

/** Closes a task that may be closed; done when it is. What is left goes to the creator, and what it may not have burns. */
export function close(context: ActContext, { task }: Extract<Intent, { kind: "close" }>): Act {
  const { chain } = context;
  const data = encodeFunctionData({ abi: abis.RewardDistributor, functionName: "close", args: [task] });
  const next: Act["next"] = async () => {
    if ((await readTask(context, task)).closed) return { done: { closed: true } };
    return { call: { to: chain.deployment.addresses.RewardDistributor, data } };
  };
  return {
    next,
    async effect({ logs }) {
      const [closed] = parseEventLogs({ abi: abis.RewardDistributor, eventName: "TaskClosed", logs });
      if (closed === undefined) return untilDone(next);
      return { refund: String(closed.args.refund), burned: String(closed.args.burned) };
    },
  };
}

/** Gives the creator's notice that the task closes; done when there is one. */
export function announceClose(context: ActContext, { task }: Extract<Intent, { kind: "announceClose" }>): Act {
  const data = encodeFunctionData({ abi: abis.TaskRegistry, functionName: "announceClose", args: [task] });
  const next: Act["next"] = async () => {
    const { closableAt } = await readTask(context, task);
    if (closableAt !== 0) return { done: { closableAt } };
    return { call: { to: context.chain.deployment.addresses.TaskRegistry, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** Sends what waits to be burned to the dead address; done when nothing waits. */
export function sweepBurn({ chain }: ActContext): Act {
  const staking = { address: chain.deployment.addresses.Staking, abi: abis.Staking } as const;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "sweepBurn" });
  return {
    async next() {
      const waiting = await chain.client.readContract({ ...staking, functionName: "toBurn" });
      return waiting === 0n ? { done: { amount: "0" } } : { call: { to: staking.address, data } };
    },
    async effect({ logs }) {
      const [swept] = parseEventLogs({ abi: abis.Staking, eventName: "BurnSwept", logs });
      return swept === undefined ? undefined : { amount: String(swept.args.amount) };
    },
  };
}

async function readTask({ chain }: ActContext, task: bigint): Promise<{ closed: boolean; closableAt: number }> {
  const [, , , , closed, closableAt] = await chain.client.readContract({
    address: chain.deployment.addresses.TaskRegistry,
    abi: abis.TaskRegistry,
    functionName: "task",
    args: [task],
  });
  return { closed, closableAt };
}
