import type { Address, PublicClient } from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import { abis } from "../protocol/generated/abis.ts";

/** The contracts' getters at one block; named values of a getter that returns several come as an object. */
export type Getters = ReturnType<typeof gettersAt>;

/** Reads a deployment's contracts as they were at the end of a block. */
export function gettersAt(client: PublicClient, { addresses }: Deployment, blockNumber: bigint) {
  const registry = { address: addresses.TaskRegistry, abi: abis.TaskRegistry, blockNumber } as const;
  const staking = { address: addresses.Staking, abi: abis.Staking, blockNumber } as const;
  const rounds = { address: addresses.Rounds, abi: abis.Rounds, blockNumber } as const;
  const voting = { address: addresses.ValidatorVoting, abi: abis.ValidatorVoting, blockNumber } as const;
  const distributor = { address: addresses.RewardDistributor, abi: abis.RewardDistributor, blockNumber } as const;
  const token = { address: addresses.FlockToken, abi: abis.FlockToken, blockNumber } as const;
  return {
    async task(task: bigint) {
      const [creator, manifest, headId, heads, closed, closableAt] = await client.readContract({
        ...registry,
        functionName: "task",
        args: [task],
      });
      return { creator, manifest, headId, heads, closed, closableAt };
    },
    terms: (task: bigint) => client.readContract({ ...registry, functionName: "terms", args: [task] }),
    account: (task: bigint, operator: Address) =>
      client.readContract({ ...staking, functionName: "account", args: [task, operator] }),
    pool: (task: bigint, operator: Address) =>
      client.readContract({ ...staking, functionName: "pool", args: [task, operator] }),
    position: (task: bigint, operator: Address, owner: Address) =>
      client.readContract({ ...staking, functionName: "position", args: [task, operator, owner] }),
    async weightOf(task: bigint, operator: Address) {
      const [role, weight] = await client.readContract({
        ...staking,
        functionName: "weightOf",
        args: [task, operator],
      });
      return { role, weight };
    },
    signerOf: (task: bigint, operator: Address) =>
      client.readContract({ ...staking, functionName: "signerOf", args: [task, operator] }),
    async totals(task: bigint) {
      const [trainerTotal, voterTotal] = await client.readContract({
        ...staking,
        functionName: "totals",
        args: [task],
      });
      return { trainerTotal, voterTotal };
    },
    toBurn: () => client.readContract({ ...staking, functionName: "toBurn" }),
    vault: () => client.readContract({ ...token, functionName: "balanceOf", args: [addresses.Staking] }),
    round: (task: bigint) => client.readContract({ ...rounds, functionName: "round", args: [task] }),
    async proposal(task: bigint, operator: Address) {
      const [round, seats, slot, published, word] = await client.readContract({
        ...rounds,
        functionName: "proposal",
        args: [task, operator],
      });
      return { round, seats, slot, published, word };
    },
    async phase(task: bigint) {
      const [phase, endsAt] = await client.readContract({ ...voting, functionName: "phase", args: [task] });
      return { phase, endsAt };
    },
    poll: (task: bigint) => client.readContract({ ...voting, functionName: "poll", args: [task] }),
    async ballot(task: bigint, operator: Address) {
      const [round, seats, state, word, head] = await client.readContract({
        ...voting,
        functionName: "ballot",
        args: [task, operator],
      });
      return { round, seats, state, word, head };
    },
    purse: (task: bigint) => client.readContract({ ...distributor, functionName: "purse", args: [task] }),
    potOfRound: (task: bigint) => client.readContract({ ...distributor, functionName: "potOfRound", args: [task] }),
  };
}
