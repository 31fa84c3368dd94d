import { encodeFunctionData, type Hex } from "viem";
import { ExitCode, PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { ballotFlaw, packScores } from "../../../protocol/rules/ballots.ts";
import { ballotCommitment } from "../../../protocol/rules/commitments.ts";
import { readRound } from "../../chain/round.ts";
import { type Intent, intentId } from "../intents.ts";
import { type Act, type ActContext, untilDone } from "./act.ts";
import { requireRound } from "./rounds.ts";
import { waitForSealing } from "./sealing.ts";

type BallotIntent = Extract<Intent, { report: unknown }>;
type Content = { scores: bigint; head: Hex };

/** Seals a measured ballot. Its content goes into the outbox first: measured again it would not be the same to the bit. */
export function commitBallot(context: ActContext, intent: Extract<Intent, { kind: "commitBallot" }>): Act {
  const { task, round, report } = intent;
  const next: Act["next"] = async () => {
    const view = await readRound(context.chain, task, context.key.address);
    requireRound(view, round);
    const content = await contentOf(context, intent);
    const { commitment } = sealed(context, intent, content);
    const { ballot } = view;
    const same =
      (ballot.state === "sealed" && ballot.commitment === commitment) ||
      (ballot.state === "revealed" && ballot.scores === content.scores && ballot.head === content.head);
    if (same) return { done: { seats: ballot.seats } };
    if (ballot.state !== "none") throw sealedAnother(task, round);
    const flaw = ballotFlaw(content.scores, content.head, view.proposals.length);
    if (flaw !== undefined) throw new PermanentError(`The ballot of report ${report} cannot be sealed: ${flaw}.`);
    const data = encodeFunctionData({
      abi: abis.ValidatorVoting,
      functionName: "commitBallot",
      args: [task, commitment],
    });
    return {
      call: { to: context.chain.deployment.addresses.ValidatorVoting, data },
      content: { scores: String(content.scores), head: content.head },
    };
  };
  return { next, effect: () => untilDone(next) };
}

/** Opens the sealed ballot. */
export function revealBallot(context: ActContext, intent: Extract<Intent, { kind: "revealBallot" }>): Act {
  const { task, round, report } = intent;
  const operator = context.key.address;
  const next: Act["next"] = async () => {
    const view = await readRound(context.chain, task, operator);
    requireRound(view, round);
    const { ballot } = view;
    if (ballot.state === "revealed") return { done: { seats: ballot.seats } };
    if (ballot.state === "none") {
      throw new PermanentError(`No ballot was sealed in round ${round} of task ${task}, so none can be revealed.`, {
        exitCode: ExitCode.chain,
      });
    }
    const content = await contentOf(context, intent);
    const { commitment, salt } = sealed(context, intent, content);
    if (commitment !== ballot.commitment) throw sealedAnother(task, round);
    await waitForSealing(context.chain, view, "ballot");
    const args = [task, operator, content.scores, report, content.head, salt] as const;
    const data = encodeFunctionData({ abi: abis.ValidatorVoting, functionName: "revealBallot", args });
    return { call: { to: context.chain.deployment.addresses.ValidatorVoting, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** What was or will be sealed: as the outbox has it, else as it was measured. */
async function contentOf({ newest, readBallot }: ActContext, { task, round, report }: BallotIntent): Promise<Content> {
  const kept = newest(intentId({ kind: "commitBallot", task, round, report }))?.content;
  if (kept !== undefined) return { scores: BigInt(kept.scores as string), head: kept.head as Hex };
  const { scores, head } = await readBallot(report);
  return { scores: packScores(scores), head };
}

function sealed({ chain, key }: ActContext, { task, round, report }: BallotIntent, content: Content) {
  const place = { chainId: chain.chainId, contract: chain.deployment.addresses.ValidatorVoting, task, round };
  const salt = key.salt({ type: "ballot", ...place });
  return { salt, commitment: ballotCommitment({ ...place, operator: key.address }, { ...content, report, salt }) };
}

function sealedAnother(task: bigint, round: number): PermanentError {
  return new PermanentError(
    `Another ballot is sealed already in round ${round} of task ${task}; there is one a round.`,
    {
      exitCode: ExitCode.chain,
    },
  );
}
