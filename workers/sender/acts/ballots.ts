import { encodeFunctionData, type Hex } from "viem";
import { ExitCode, PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { ballotFlaw, packScores } from "../../../protocol/rules/ballots.ts";
import { ballotCommitment } from "../../../protocol/rules/commitments.ts";
import { readBallotCopy } from "../../chain/logs.ts";
import { readRound } from "../../chain/round.ts";
import type { RoundView } from "../../chain/roundView.ts";
import type { JsonObject } from "../../queue/types.ts";
import type { CopiedBallot } from "../ballotCopy.ts";
import { type Intent, intentId } from "../intents.ts";
import type { Entry } from "../outbox.ts";
import { type Act, type ActContext, untilDone } from "./act.ts";
import { requireRound } from "./rounds.ts";
import { waitForSealing } from "./sealing.ts";

type CommitIntent = Extract<Intent, { kind: "commitBallot" }>;
type RoundOfTask = Pick<CommitIntent, "task" | "round">;

/**
 * Seals a measured ballot. Its content goes into the outbox first, for measured again it would not be the same to the bit, and
 * encrypted into the event, for a disk can be lost.
 */
export function commitBallot(context: ActContext, intent: CommitIntent): Act {
  const { task, round, report } = intent;
  const { chain, key } = context;
  const next: Act["next"] = async () => {
    const view = await readRound(chain, task, key.operator);
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
    const copy = key.sealCopy(placeOf(context, intent), content);
    const args = [task, key.operator, commitment, copy] as const;
    const data = encodeFunctionData({ abi: abis.ValidatorVoting, functionName: "commitBallot", args });
    return {
      call: { to: chain.deployment.addresses.ValidatorVoting, data },
      content: { scores: String(content.scores), head: content.head, report },
    };
  };
  return { next, effect: () => untilDone(next) };
}

/** Opens the sealed ballot. Nothing is needed for it but the operator's secret: what the outbox lost, the event has. */
export function revealBallot(context: ActContext, intent: Extract<Intent, { kind: "revealBallot" }>): Act {
  const { task, round } = intent;
  const { chain, key } = context;
  const next: Act["next"] = async () => {
    const view = await readRound(chain, task, key.operator);
    requireRound(view, round);
    const { ballot } = view;
    if (ballot.state === "revealed") return { done: { seats: ballot.seats } };
    if (ballot.state !== "sealed") {
      throw new PermanentError(`No ballot was sealed in round ${round} of task ${task}, so none can be revealed.`, {
        exitCode: ExitCode.chain,
      });
    }
    const { scores, report, head, salt } = await openingOf(context, view, ballot.commitment);
    await waitForSealing(chain, view, "ballot");
    const args = [task, key.operator, scores, report, head, salt] as const;
    const data = encodeFunctionData({ abi: abis.ValidatorVoting, functionName: "revealBallot", args });
    return { call: { to: chain.deployment.addresses.ValidatorVoting, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** Says that another voter sealed no ballot; done when anybody has said so. */
export function accuseAbsence(context: ActContext, intent: Extract<Intent, { kind: "accuseAbsence" }>): Act {
  const { task, round, absent } = intent;
  const { chain } = context;
  const next: Act["next"] = async () => {
    const view = await readRound(chain, task, absent);
    requireRound(view, round);
    if (view.ballot.state !== "none") return { done: { ballot: view.ballot.state } };
    const args = [task, absent] as const;
    const data = encodeFunctionData({ abi: abis.ValidatorVoting, functionName: "accuseAbsence", args });
    return { call: { to: chain.deployment.addresses.ValidatorVoting, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** What will be sealed: as the outbox has it from an earlier try, else as it was measured. */
async function contentOf({ newest, readBallot }: ActContext, intent: CommitIntent): Promise<CopiedBallot> {
  const kept = newest(intentId(intent))?.content;
  if (kept !== undefined) return fromOutbox(kept, intent.report);
  const { scores, head } = await readBallot(intent.report);
  return { scores: packScores(scores), report: intent.report, head };
}

/** What opens the commitment on the chain: from the outbox, else from the copy in the event that sealed it. */
async function openingOf(
  context: ActContext,
  { task, round, seedBlock, block }: RoundView,
  commitment: Hex,
): Promise<CopiedBallot & { salt: Hex }> {
  const { chain, key, sealedBallots } = context;
  const where = { task, round };
  const opens = (content: CopiedBallot) => {
    const { salt, commitment: found } = sealed(context, where, content);
    return found === commitment ? { ...content, salt } : undefined;
  };
  for (const { content, intent } of sealedBallots(task, round) as Entry[]) {
    const opening = content === undefined ? undefined : opens(fromOutbox(content, intent.report as Hex));
    if (opening !== undefined) return opening;
  }
  const copy = await readBallotCopy(chain, { task, round, seedBlock }, key.operator, block.number);
  const content = copy === undefined ? undefined : key.openCopy(placeOf(context, where), copy);
  const opening = content === undefined ? undefined : opens(content);
  if (opening !== undefined) return opening;
  throw new PermanentError(
    `The ballot sealed in round ${round} of task ${task} cannot be opened here: it was sealed under another secret, or without a copy.`,
    { exitCode: ExitCode.chain },
  );
}

function fromOutbox({ scores, head }: JsonObject, report: Hex): CopiedBallot {
  return { scores: BigInt(scores as string), report, head: head as Hex };
}

function placeOf({ chain }: ActContext, { task, round }: RoundOfTask) {
  return { chainId: chain.chainId, contract: chain.deployment.addresses.ValidatorVoting, task, round };
}

function sealed(context: ActContext, where: RoundOfTask, content: CopiedBallot) {
  const { key } = context;
  const place = placeOf(context, where);
  const salt = key.salt({ type: "ballot", ...place });
  return { salt, commitment: ballotCommitment({ ...place, operator: key.operator }, { ...content, salt }) };
}

function sealedAnother(task: bigint, round: number): PermanentError {
  return new PermanentError(
    `Another ballot is sealed already in round ${round} of task ${task}; there is one a round.`,
    {
      exitCode: ExitCode.chain,
    },
  );
}
