import type { Address, Hex } from "viem";
import { unpackScores } from "../rules/ballots.ts";
import { paidPool, slashedPool, splitFault, touchedPool } from "../rules/delegation.ts";
import { accuserBounty } from "../rules/faults.ts";
import { headId } from "../rules/lineage.ts";
import { settled } from "../rules/purse.ts";
import {
  type Absence,
  type Line,
  type Outcome,
  type SealedBallot,
  type SealedProposal,
  settleRound,
  splitSlashed,
} from "../rules/settlement.ts";
import { countsNow, slashed as slashedAccount, touched } from "../rules/stakePool.ts";
import type { Slot } from "../rules/tally.ts";
import { Phase, Verdict } from "../words.ts";
import type { Awaited, EventArgs, EventName, FlockEvent, Told } from "./events.ts";
import { roundOf, seedMissed } from "./rounds.ts";
import { putStake } from "./stakes.ts";
import { accountOf, delegationOf, type Head, type Round, type SettledAccount, type State, type Task } from "./state.ts";
import { taskOf } from "./tasks.ts";

function ascending(a: { operator: Hex }, b: { operator: Hex }): number {
  return BigInt(a.operator) < BigInt(b.operator) ? -1 : 1;
}

type Sealed = { proposals: SealedProposal[]; ballots: SealedBallot[]; absences: Absence[] };

/** What was sealed, in the order of a settlement: published ones by slot; the others, ballots and absences by address. */
function sealedOf(round: Round): Sealed {
  const unpublished = [...round.proposals.values()].filter(({ slot }) => slot === undefined).sort(ascending);
  const ballots = [...round.ballots.values()].sort(ascending).map(({ operator, seats, scores, head }) => {
    if (scores === undefined || head === undefined) return { operator, seats };
    return { operator, seats, opened: { scores: unpackScores(scores).slice(0, round.published.length), head } };
  });
  const absences = [...round.absences.values()].sort(ascending);
  return { proposals: [...round.published, ...unpublished], ballots, absences };
}

/** The lists that the caller of `settle` must give: all proposers, and all who sealed a ballot or are accused. */
export function partiesOf(round: Round): { proposers: Address[]; voters: Address[] } {
  const { proposals, ballots, absences } = sealedOf(round);
  const addresses = (parties: readonly { operator: Address }[]) => parties.map(({ operator }) => operator);
  return { proposers: addresses(proposals), voters: addresses([...ballots, ...absences].sort(ascending)) };
}

/** One lane of `bits` for each slot, slot 0 lowest. */
function pack(slots: readonly Slot[], bits: number, lane: (slot: Slot) => number): bigint {
  return slots.reduce((word, slot, i) => word | (BigInt.asUintN(bits, BigInt(lane(slot))) << BigInt(bits * i)), 0n);
}

function say<Name extends EventName>(name: Name, args: EventArgs[Name]): Told {
  return { name, args } as unknown as Told;
}

/**
 * Settles the open round by the rules, writes every account, and returns what the chain must have said, in order: Slashed
 * and Rewarded by operator, with Credited after an absent one; Credited of the settler, BurnScheduled, HeadReferenced,
 * HeadMoved, RoundSettled. What is credited is written when the chain says it.
 */
export function settle(state: State, event: FlockEvent & { args: { task: bigint; round: number } }): Awaited[] {
  const task = taskOf(state, event);
  const round = roundOf(task, event, Phase.Settle);
  const sealed = sealedOf(round);
  const { pot, seed } = round;
  const outcome = settleRound(task.terms, { pot, seed, ...sealed, seedMissed: seedMissed(round, event) });
  const { isVoid, slots, reference, bounty } = outcome;
  const settledOnes = outcome.lines.map((line) => settleAccount(task, round, line));
  const told: Awaited[] = settledOnes.flatMap((one) => one.told);
  const accounts = settledOnes.map(({ account }) => account);
  const sum = (of: (account: SettledAccount) => bigint) => accounts.reduce((total, account) => total + of(account), 0n);
  const paid = sum((account) => account.paid);
  const slashed = sum((account) => account.slashed);
  const accused = sum((account) => account.bounty);
  const { returned, burned } = splitSlashed(slashed, accused);

  const of = { task: task.id, round: round.number };
  if (bounty > 0n) told.push({ name: "Credited", args: { task: task.id, to: undefined, amount: bounty } });
  if (burned > 0n) told.push(say("BurnScheduled", { amount: burned }));
  if (reference !== undefined) told.push(say("HeadReferenced", { ...of, headId: task.headId, digest: reference }));
  const step = headStep(task, round, outcome);
  if (step !== undefined) told.push(say("HeadMoved", { ...of, ...step, published: BigInt(step.published) }));
  const medians = pack(slots, 16, ({ median }) => median);
  const verdicts = pack(slots, 4, ({ verdict }) => verdict);
  told.push(say("RoundSettled", { ...of, isVoid, pot, medians, verdicts, paid, slashed, burned, bounty }));

  state.toBurn += burned;
  round.open = false;
  task.purse = settled(task.purse, paid + bounty, returned, event.blockTimestamp);
  task.paidRounds += isVoid ? 0 : 1;
  task.voids = isVoid ? task.voids + 1 : 0;
  if (step !== undefined) {
    task.heads.push(step);
    task.headId = step.headId;
  }
  const { number, openedAt, seedBlock, voterBlock, voterValue } = round;
  const opened = { number, openedAt, seedBlock, seed, voterBlock, voterValue, pot };
  const money = { paid, slashed, burned, bounty, accounts };
  task.history.push({ ...opened, ...sealed, isVoid, slots, reference, ...money, headId: task.headId });
  return told;
}

/** Slashes one operator and its delegators, then pays both. */
function settleAccount(task: Task, round: Round, { operator, pay, fault, accuser }: Line) {
  const told: Told[] = [];
  const of = { task: task.id, round: round.number, operator };
  const before = touched(accountOf(task, operator), round.number);
  const poolBefore = touchedPool(delegationOf(task, operator), round.number);
  const { fromOwn, fromDelegated } = splitFault(fault, countsNow(before), poolBefore);
  const { account, fromActive, fromLeaving } = slashedAccount(before, fromOwn);
  const pool = slashedPool(poolBefore, fromDelegated);
  const slashed = fromOwn + fromDelegated;
  if (slashed > 0n) told.push(say("Slashed", { ...of, fromActive, fromLeaving, fromDelegated }));

  const { pool: paidOne, toDelegators } = paidPool(pool, countsNow(account), pay);
  if (pay > 0n) told.push(say("Rewarded", { ...of, amount: pay, toDelegators }));
  putStake(task, operator, {
    account: { ...account, claimable: account.claimable + pay - toDelegators },
    pool: task.delegations.has(operator) ? paidOne : undefined,
  });
  const bounty = accuser === undefined ? 0n : accuserBounty(task.terms, slashed);
  if (accuser !== undefined && bounty > 0n) {
    told.push(say("Credited", { task: task.id, to: accuser, amount: bounty }));
  }
  return { told, account: { operator, paid: pay, toDelegators, slashed, fromDelegated, bounty } };
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
