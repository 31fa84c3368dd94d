import type { Address } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import type { Account } from "../../protocol/rules/stakePool.ts";
import type { Terms } from "../../protocol/terms.ts";
import type { Phase } from "../../protocol/words.ts";
import type { Chain } from "./open.ts";

/** What the contracts say of a task and of one operator in it. */
export type Facts = Awaited<ReturnType<typeof readFacts>>;

/** Asks all views at one block. */
export async function readFacts({ client, deployment }: Chain, task: bigint, operator: Address, blockNumber: bigint) {
  const { TaskRegistry, Rounds, ValidatorVoting, Staking, RewardDistributor } = deployment.addresses;
  const registry = { address: TaskRegistry, abi: abis.TaskRegistry, blockNumber } as const;
  const rounds = { address: Rounds, abi: abis.Rounds, blockNumber } as const;
  const voting = { address: ValidatorVoting, abi: abis.ValidatorVoting, blockNumber } as const;
  const staking = { address: Staking, abi: abis.Staking, blockNumber } as const;
  const distributor = { address: RewardDistributor, abi: abis.RewardDistributor, blockNumber } as const;
  const [
    [creator, manifest, headId, heads, closed, closableAt],
    terms,
    round,
    seedMissed,
    proposal,
    [contractPhase],
    poll,
    ballot,
    account,
    [, weight],
    [trainerStake, voterStake],
    purse,
  ] = await Promise.all([
    client.readContract({ ...registry, functionName: "task", args: [task] }),
    client.readContract({ ...registry, functionName: "terms", args: [task] }),
    client.readContract({ ...rounds, functionName: "round", args: [task] }),
    client.readContract({ ...rounds, functionName: "seedMissed", args: [task] }),
    client.readContract({ ...rounds, functionName: "proposal", args: [task, operator] }),
    client.readContract({ ...voting, functionName: "phase", args: [task] }),
    client.readContract({ ...voting, functionName: "poll", args: [task] }),
    client.readContract({ ...voting, functionName: "ballot", args: [task, operator] }),
    client.readContract({ ...staking, functionName: "account", args: [task, operator] }),
    client.readContract({ ...staking, functionName: "weightOf", args: [task, operator] }),
    client.readContract({ ...staking, functionName: "totals", args: [task] }),
    client.readContract({ ...distributor, functionName: "purse", args: [task] }),
  ]);
  return {
    creator,
    manifest,
    headId,
    heads,
    closed,
    closableAt,
    terms: terms as Terms,
    round,
    seedMissed,
    proposal,
    contractPhase: contractPhase as Phase,
    poll,
    ballot,
    account: account as Account,
    weight,
    trainerStake,
    voterStake,
    purse,
  };
}
