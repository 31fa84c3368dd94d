import { encodeFunctionData, parseEventLogs } from "viem";
import { abis } from "../../../protocol/generated/abis.ts";
import type { Intent } from "../intents.ts";
import type { Act, ActContext } from "./act.ts";

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
