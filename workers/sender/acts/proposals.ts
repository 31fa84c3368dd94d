import { encodeFunctionData } from "viem";
import { ExitCode, PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { proposalCommitment } from "../../../protocol/rules/commitments.ts";
import { readRound } from "../../chain/round.ts";
import type { Intent } from "../intents.ts";
import { type Act, type ActContext, untilDone } from "./act.ts";
import { requireRound } from "./rounds.ts";
import { waitForSealing } from "./sealing.ts";

/** Seals a trained update under a salt that only this key derives. */
export function commitProposal(context: ActContext, intent: Extract<Intent, { kind: "commitProposal" }>): Act {
  const { task, round, artifact } = intent;
  const { commitment } = sealed(context, intent);
  const next: Act["next"] = async () => {
    const view = await readRound(context.chain, task, context.key.operator);
    requireRound(view, round);
    const { proposal } = view;
    const same =
      (proposal.state === "sealed" && proposal.commitment === commitment) ||
      (proposal.state === "published" && proposal.artifact === artifact);
    if (same) return { done: { seats: proposal.seats } };
    if (proposal.state !== "none") throw sealedAnother(task, round);
    const args = [task, context.key.operator, commitment] as const;
    const data = encodeFunctionData({ abi: abis.Rounds, functionName: "commitProposal", args });
    return { call: { to: context.chain.deployment.addresses.Rounds, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** Opens the sealed update, once nobody can seal one after reading it. */
export function publishProposal(context: ActContext, intent: Extract<Intent, { kind: "publishProposal" }>): Act {
  const { task, round, artifact } = intent;
  const { commitment, salt } = sealed(context, intent);
  const { operator } = context.key;
  const next: Act["next"] = async () => {
    const view = await readRound(context.chain, task, operator);
    requireRound(view, round);
    const { proposal } = view;
    if (proposal.state === "published" && proposal.artifact === artifact) return { done: { slot: proposal.slot } };
    if (proposal.state === "none") {
      throw new PermanentError(`Nothing was sealed in round ${round} of task ${task}, so nothing can be published.`, {
        exitCode: ExitCode.chain,
      });
    }
    if (proposal.state === "published" || proposal.commitment !== commitment) throw sealedAnother(task, round);
    await waitForSealing(context.chain, view, "propose");
    const args = [task, operator, artifact, salt] as const;
    const data = encodeFunctionData({ abi: abis.Rounds, functionName: "publishProposal", args });
    return { call: { to: context.chain.deployment.addresses.Rounds, data } };
  };
  return { next, effect: () => untilDone(next) };
}

function sealed({ chain, key }: ActContext, intent: Extract<Intent, { artifact: unknown }>) {
  const { task, round, artifact } = intent;
  const place = { chainId: chain.chainId, contract: chain.deployment.addresses.Rounds, task, round };
  const salt = key.salt({ type: "proposal", ...place });
  return { salt, commitment: proposalCommitment({ ...place, operator: key.operator }, { artifact, salt }) };
}

function sealedAnother(task: bigint, round: number): PermanentError {
  return new PermanentError(
    `Another update is sealed already in round ${round} of task ${task}; there is one a round.`,
    {
      exitCode: ExitCode.chain,
    },
  );
}
