import { encodeFunctionData } from "viem";
import { ExitCode, PassingError, PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { Phase } from "../../../protocol/words.ts";
import { readParticipants } from "../../chain/logs.ts";
import { readRound } from "../../chain/round.ts";
import type { RoundView } from "../../chain/roundView.ts";
import type { Intent } from "../intents.ts";
import { type Act, type ActContext, untilDone } from "./act.ts";

/** Opens a round, and settles the one before with it if that is void; anyone may, so it is done when somebody has. */
export function openRound(context: ActContext, { task, round }: Extract<Intent, { kind: "openRound" }>): Act {
  const next: Act["next"] = async () => {
    const view = await readRound(context.chain, task, context.key.operator);
    if (view.round >= round) return { done: { round } };
    if (view.round + 1 !== round) {
      throw new PermanentError(`Round ${round} of task ${task} cannot be opened: the next one is ${view.round + 1}.`, {
        exitCode: ExitCode.chain,
      });
    }
    if (view.open && !view.isVoid) throw stillOpen(task, view.round);
    const { proposers, voters } = view.open ? await participantsOf(context, view) : { proposers: [], voters: [] };
    const args = [task, proposers, voters] as const;
    const data = encodeFunctionData({ abi: abis.Rounds, functionName: "openRound", args });
    return { call: { to: context.chain.deployment.addresses.Rounds, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** Latches a round's seed, after publishing the voters'; anyone may, and the first proposal or ballot does it on the way. */
export function latchSeed(context: ActContext, { task, round }: Extract<Intent, { kind: "latchSeed" }>): Act {
  const next: Act["next"] = async () => {
    const view = await readRound(context.chain, task, context.key.operator);
    const wanted = view.phase < Phase.Ballot ? 1 : 2;
    if (isOver(view, round) || (view.round === round && view.seedsLatched >= wanted)) return { done: { round } };
    requireRound(view, round);
    const data = encodeFunctionData({ abi: abis.Rounds, functionName: "latchSeed", args: [task] });
    return { call: { to: context.chain.deployment.addresses.Rounds, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** Settles a round; anyone may, with the lists of all who sealed something or are accused of absence. */
export function settle(context: ActContext, { task, round }: Extract<Intent, { kind: "settle" }>): Act {
  const { chain, key } = context;
  const next: Act["next"] = async () => {
    const view = await readRound(chain, task, key.operator);
    if (isOver(view, round)) return { done: { round } };
    requireRound(view, round);
    const { proposers, voters } = await participantsOf(context, view);
    const args = [task, proposers, voters] as const;
    const data = encodeFunctionData({ abi: abis.RewardDistributor, functionName: "settle", args });
    return { call: { to: chain.deployment.addresses.RewardDistributor, data } };
  };
  return { next, effect: () => untilDone(next) };
}

function participantsOf({ chain }: ActContext, { task, round, seedBlock, block }: RoundView) {
  return readParticipants(chain, { task, round, seedBlock }, block.number);
}

function stillOpen(task: bigint, round: number): PassingError {
  return new PassingError(`Round ${round} of task ${task} is still open, and not void.`, { exitCode: ExitCode.chain });
}

/** Whether the round is behind us, settled. */
export function isOver(view: RoundView, round: number): boolean {
  return view.round > round || (view.round === round && view.phase === Phase.None);
}

/** @throws PermanentError if another round than the intent's is the open one. */
export function requireRound(view: RoundView, round: number): void {
  if (view.open && view.round === round) return;
  const now = view.open ? `round ${view.round} is open` : `round ${view.round} was the last and none is open`;
  throw new PermanentError(`Nothing can be done in round ${round} of task ${view.task}: ${now}.`, {
    exitCode: ExitCode.chain,
  });
}
