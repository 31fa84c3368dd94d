import { type Address, getAddress, zeroHash } from "viem";
import { FlockError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { unpackScores } from "../../protocol/rules/ballots.ts";
import { nameOf, Verdict } from "../../protocol/words.ts";
import type { Network } from "./network.ts";
import type { RoundOutcome, VerdictName } from "./outcome.ts";

/** What became of a round that was settled, read from its logs. */
export async function readOutcome(
  { chain: { client }, deployment, task }: Network,
  round: number,
  isHonest: (operator: Address) => boolean,
): Promise<RoundOutcome> {
  const { Rounds, Staking, RewardDistributor, TaskRegistry } = deployment.addresses;
  const range = { fromBlock: BigInt(deployment.block), strict: true } as const;
  const [settledLogs, published, rewards, cuts, task_] = await Promise.all([
    client.getContractEvents({
      ...range,
      address: RewardDistributor,
      abi: abis.RewardDistributor,
      eventName: "RoundSettled",
      args: { task, round },
    }),
    client.getContractEvents({
      ...range,
      address: Rounds,
      abi: abis.Rounds,
      eventName: "ProposalPublished",
      args: { task, round },
    }),
    client.getContractEvents({ ...range, address: Staking, abi: abis.Staking, eventName: "Rewarded", args: { task } }),
    client.getContractEvents({ ...range, address: Staking, abi: abis.Staking, eventName: "Slashed", args: { task } }),
    client.readContract({ address: TaskRegistry, abi: abis.TaskRegistry, functionName: "task", args: [task] }),
  ]);
  const settled = settledLogs[0]?.args;
  if (settled === undefined)
    throw new FlockError(`Round ${round} is not settled yet; this is a bug of the local network.`);

  const medians = unpackScores(settled.medians);
  const paidTo = (operator: Address) =>
    rewards
      .filter(({ args }) => args.round === round && args.operator === operator)
      .reduce((sum, { args }) => sum + args.amount, 0n);
  const cutFrom = (operator: Address) =>
    cuts
      .filter(({ args }) => args.round === round && args.operator === operator)
      .reduce((sum, { args }) => sum + args.fromActive + args.fromLeaving + args.fromDelegated, 0n);
  const proposals = published
    .map(({ args }) => args)
    .sort((a, b) => a.slot - b.slot)
    .map(({ slot, operator }) => {
      const verdict = Number((settled.verdicts >> BigInt(4 * slot)) & 15n);
      return {
        operator: getAddress(operator),
        honest: isHonest(operator),
        verdict: nameOf(Verdict, verdict).toLowerCase() as VerdictName,
        median: medians[slot] ?? 0,
        paid: paidTo(operator),
        slashed: cutFrom(operator),
      };
    });
  return {
    number: round,
    status: settled.isVoid ? "void" : "settled",
    proposals,
    paid: settled.paid,
    slashed: settled.slashed,
    head: task_[2] ?? zeroHash,
  };
}
