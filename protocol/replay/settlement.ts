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
import { Phase, Verdict } from "../words.ts";
import type { EventArgs, FlockEvent, Told } from "./events.ts";
import { roundOf, seedMissed } from "./rounds.ts";
import { putAccount } from "./stakes.ts";
import { accountOf, type Round, type State, type Task } from "./state.ts";
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

function pack(values: readonly number[], bits: number): bigint {
  return values.reduce((word, value, i) => word | (BigInt.asUintN(bits, BigInt(value)) << BigInt(bits * i)), 0n);
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
  const told: Told[] = [];
  const say = <Name extends keyof EventArgs>(name: Name, args: EventArgs[Name]) =>
    told.push({ name, args } as unknown as Told);
  const of = { task: task.id, round: round.number };

  let paid = 0n;
  let slashed = 0n;
  for (const { operator, pay, fault } of outcome.lines) {
    const before = touched(accountOf(task, operator), round.number);
    const { account, fromActive, fromLeaving } = slashedAccount(before, fault);
    if (fromActive + fromLeaving > 0n) say("Slashed", { ...of, operator, fromActive, fromLeaving });
    if (pay > 0n) say("Rewarded", { ...of, operator, amount: pay });
    putAccount(task, operator, { ...account, claimable: account.claimable + pay });
    paid += pay;
    slashed += fromActive + fromLeaving;
  }
  const { returned, burned } = splitSlashed(slashed);
  if (burned > 0n) say("BurnScheduled", { amount: burned });
  state.toBurn += burned;

  const { reference } = outcome;
  if (reference !== undefined) say("HeadReferenced", { ...of, headId: task.headId, digest: reference });
  const step = headStep(task, round, outcome);
  if (step !== undefined) {
    const { headId, parentId, published, artifacts, factors } = step;
    say("HeadMoved", { ...of, parentId, headId, published: BigInt(published), artifacts, factors });
    task.heads.push(step);
    task.headId = headId;
  }
  say("RoundSettled", {
    ...of,
    isVoid: outcome.isVoid,
    pot: round.pot,
    medians: pack(
      outcome.slots.map(({ median }) => median),
      16,
    ),
    verdicts: pack(
      outcome.slots.map(({ verdict }) => verdict),
      4,
    ),
    paid,
    slashed,
    burned,
  });

  round.open = false;
  task.purse = settled(task.purse, paid, returned);
  task.paidRounds += outcome.isVoid ? 0 : 1;
  task.voids = outcome.isVoid ? task.voids + 1 : 0;
  const { number, openedAt, seedBlock, seed, pot } = round;
  const { isVoid, slots } = outcome;
  const money = { pot, paid, slashed, burned };
  task.history.push({
    number,
    openedAt,
    seedBlock,
    seed,
    isVoid,
    ...money,
    ...sealed,
    slots,
    reference,
    headId: task.headId,
  });
  return told;
}

function headStep(task: Task, round: Round, { slots, factors }: Outcome) {
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
