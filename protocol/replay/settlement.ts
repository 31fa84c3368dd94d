import type { Hex } from "viem";
import { unpackScores } from "../rules/ballots.ts";
import { headId } from "../rules/lineage.ts";
import { settled } from "../rules/purse.ts";
import {
  type Outcome,
  type SealedBallot,
  type SealedProposal,
  settleRound,
  splitSlashed,
} from "../rules/settlement.ts";
import { slashed as slashedAccount, touched } from "../rules/stakePool.ts";
import type { Slot } from "../rules/tally.ts";
import { Phase, Verdict } from "../words.ts";
import type { EventArgs, EventName, FlockEvent, Told } from "./events.ts";
import { roundOf, seedMissed } from "./rounds.ts";
import { putAccount } from "./stakes.ts";
import { accountOf, type Head, type Round, type State, type Task } from "./state.ts";
import { taskOf } from "./tasks.ts";

function ascending(a: { operator: Hex }, b: { operator: Hex }): number {
  return BigInt(a.operator) < BigInt(b.operator) ? -1 : 1;
}

/** The lists that the caller of `settle` must give: published by slot, then unpublished and all ballots by address. */
function sealedOf(round: Round): { proposals: SealedProposal[]; ballots: SealedBallot[] } {
  const unpublished = [...round.proposals.values()].filter(({ slot }) => slot === undefined).sort(ascending);
  const ballots = [...round.ballots.values()].sort(ascending).map(({ operator, seats, scores, head }) => {
    if (scores === undefined || head === undefined) return { operator, seats };
    return { operator, seats, opened: { scores: unpackScores(scores).slice(0, round.published.length), head } };
  });
  return { proposals: [...round.published, ...unpublished], ballots };
}

/** One lane of `bits` for each slot, slot 0 lowest. */
function pack(slots: readonly Slot[], bits: number, lane: (slot: Slot) => number): bigint {
  return slots.reduce((word, slot, i) => word | (BigInt.asUintN(bits, BigInt(lane(slot))) << BigInt(bits * i)), 0n);
}

function say<Name extends EventName>(name: Name, args: EventArgs[Name]): Told {
  return { name, args } as unknown as Told;
}

/**
 * Settles the open round by the rules, writes every account, and returns what the chain must have said, in order:
 * Slashed and Rewarded by operator, BurnScheduled, HeadReferenced, HeadMoved, RoundSettled.
 */
export function settle(state: State, event: FlockEvent & { args: { task: bigint; round: number } }): Told[] {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Settle);
  const sealed = sealedOf(round);
  const outcome = settleRound(task.terms, { pot: round.pot, ...sealed, seedMissed: seedMissed(round, event) });
  const { isVoid, slots, reference } = outcome;
  const { told, accounts } = settleAccounts(task, round, outcome.lines);
  const paid = accounts.reduce((sum, account) => sum + account.paid, 0n);
  const slashed = accounts.reduce((sum, account) => sum + account.slashed, 0n);
  const { returned, burned } = splitSlashed(slashed);

  const of = { task: task.id, round: round.number };
  if (burned > 0n) told.push(say("BurnScheduled", { amount: burned }));
  if (reference !== undefined) told.push(say("HeadReferenced", { ...of, headId: task.headId, digest: reference }));
  const step = headStep(task, round, outcome);
  if (step !== undefined) told.push(say("HeadMoved", { ...of, ...step, published: BigInt(step.published) }));
  const medians = pack(slots, 16, ({ median }) => median);
  const verdicts = pack(slots, 4, ({ verdict }) => verdict);
  told.push(say("RoundSettled", { ...of, isVoid, pot: round.pot, medians, verdicts, paid, slashed, burned }));

  state.toBurn += burned;
  round.open = false;
  task.purse = settled(task.purse, paid, returned);
  task.paidRounds += isVoid ? 0 : 1;
  task.voids = isVoid ? task.voids + 1 : 0;
  if (step !== undefined) {
    task.heads.push(step);
    task.headId = step.headId;
  }
  const { number, openedAt, seedBlock, seed, pot } = round;
  const opened = { number, openedAt, seedBlock, seed, pot };
  const money = { paid, slashed, burned, accounts };
  task.history.push({ ...opened, ...sealed, isVoid, slots, reference, ...money, headId: task.headId });
  return told;
}

/** Slashes and credits everyone who sealed something, in the order of the settlement. */
function settleAccounts(task: Task, round: Round, lines: Outcome["lines"]) {
  const told: Told[] = [];
  const of = { task: task.id, round: round.number };
  const accounts = lines.map(({ operator, pay, fault }) => {
    const before = touched(accountOf(task, operator), round.number);
    const { account, fromActive, fromLeaving } = slashedAccount(before, fault);
    if (fromActive + fromLeaving > 0n) told.push(say("Slashed", { ...of, operator, fromActive, fromLeaving }));
    if (pay > 0n) told.push(say("Rewarded", { ...of, operator, amount: pay }));
    putAccount(task, operator, { ...account, claimable: account.claimable + pay });
    return { operator, paid: pay, slashed: fromActive + fromLeaving };
  });
  return { told, accounts };
}

function headStep(task: Task, round: Round, { slots, factors }: Outcome): Head | undefined {
  const accepted = slots.flatMap(({ verdict }, slot) => (verdict === Verdict.Accepted ? [slot] : []));
  if (accepted.length === 0) return undefined;
  const step = {
    round: round.number,
    parentId: task.headId,
    published: round.published.length,
    artifacts: accepted.map((slot) => round.published[slot]!.artifact!),
    factors: accepted.map((slot) => factors[slot]!),
  };
  return { ...step, headId: headId(step) };
}
