import type { FlockEvent } from "../../protocol/replay/events.ts";
import { clockOf, positionOf, type SettledRound, type State, type Task } from "../../protocol/replay/state.ts";
import { worthOf } from "../../protocol/rules/delegation.ts";
import { publishDeadline, revealDeadline } from "../../protocol/rules/phases.ts";
import { isIdle } from "../../protocol/rules/purse.ts";
import { nameOf, Payout, Roles, Verdict } from "../../protocol/words.ts";

/** What of an event is rare and matters, told from the task as it was before. */
function rarities(task: Task, event: FlockEvent): Record<string, boolean> {
  const { round, terms } = task;
  const { name, args, blockTimestamp } = event;
  const isOpen = round?.open === true;
  const drawn = terms.roles === Roles.Drawn;
  const own = "owner" in args && "operator" in args && args.owner === args.operator;
  const account = "operator" in args ? task.accounts.get(args.operator) : undefined;
  const position = "owner" in args && !own ? positionOf(task, args.operator, args.owner) : undefined;
  if (name === "Staked") return { "stake while a round is open": isOpen, "stake in a drawn pool": drawn };
  if (name === "Delegated") return { "delegation while a round is open": isOpen };
  if (name === "ExitRequested") {
    const kept = own ? (account?.active ?? 0n) : worthOf(position!.shares, poolOf(task, args.operator).mark.factor);
    const who = own ? "" : " of a delegator";
    return {
      [`exit exposed to the open round${who}`]: args.exposedTo > 0,
      [`exit of stake that was joining${who}`]: isOpen && args.amount > kept,
    };
  }
  if (name === "Withdrawn") {
    const leaving = own ? (account?.leaveRound ?? 0) : position!.pendingRound;
    const escaped = isOpen && leaving === round?.number && args.amount > (own ? account!.left : position!.left);
    return {
      [own ? "withdrawal although nobody settles" : "a delegator's withdrawal although nobody settles"]: escaped,
    };
  }
  if (name === "Claimed") return { "claim of a delegator": !own };
  if (name === "Slashed") {
    return { "slash of leaving stake": args.fromLeaving > 0n, "slash of delegated stake": args.fromDelegated > 0n };
  }
  if (name === "Rewarded") return { "reward of delegators": args.toDelegators > 0n };
  if (name === "SignerSet") return { "signer named while a round is open": isOpen };
  if (name === "Funded") return { "funds while a round is open": isOpen };
  if (name === "RoundOpened") return { "a round opened over a void one": isOpen };
  if (name === "ProposalPublished")
    return { "publication in grace": blockTimestamp >= publishDeadline(terms, round!.openedAt) };
  if (name === "BallotRevealed")
    return { "reveal in grace": blockTimestamp >= revealDeadline(terms, clockOf(round!, false), blockTimestamp) };
  if (name === "RoundSettled" && !args.isVoid) {
    return {
      "a settled round with drawn roles": drawn,
      "two accepted proposals paid by rank": terms.payout === Payout.Ranked && acceptedIn(args.verdicts) > 1,
      "bounty of a settler": args.bounty > 0n,
    };
  }
  if (name === "TaskClosed") {
    const byNotice = task.closableAt > 0 && blockTimestamp >= task.closableAt;
    return {
      "close after all rounds": task.paidRounds >= terms.rounds,
      "close after void rounds": task.voids >= terms.maxVoids,
      "close by the creator": byNotice,
      "close of an idle task": isIdle(task.purse, terms, blockTimestamp),
    };
  }
  return {};
}

/** To be asked before an event is applied; gives what to ask after it, which names what was seen. */
export function witnessed(state: State, event: FlockEvent): (after: State) => string[] {
  const { args } = event;
  const task = "task" in args ? state.tasks.get(args.task) : undefined;
  if (task === undefined) return () => [];
  const rare = rarities(task, event);
  if (event.name === "RoundOpened") {
    rare["a round opened over a void one"] =
      state.last?.name === "RoundSettled" && state.last.blockNumber === event.blockNumber;
  }
  const generations = sumOfGenerations(task.delegations);
  const settled = task.history.length;
  return (after) => {
    const { history, delegations } = after.tasks.get(task.id)!;
    rare["shares counted anew"] = sumOfGenerations(delegations) > generations;
    for (const round of history.slice(settled)) Object.assign(rare, raritiesOf(round));
    return Object.keys(rare).filter((what) => rare[what]);
  };
}

function poolOf(task: Task, operator: `0x${string}`) {
  return task.delegations.get(operator)!;
}

function acceptedIn(verdicts: bigint): number {
  return [...verdicts.toString(16)].filter((verdict) => verdict === "1").length;
}

function sumOfGenerations(delegations: Task["delegations"]): number {
  return [...delegations.values()].reduce((sum, { mark }) => sum + mark.generation, 0);
}

/** What of a settled round is rare and matters. */
function raritiesOf(round: SettledRound): Record<string, boolean> {
  const { isVoid, seed, slots, reference, proposals, ballots, slashed, paid, accounts } = round;
  const sealed = proposals.length > 0;
  const published = proposals.filter(({ slot }) => slot !== undefined).length;
  return {
    ...Object.fromEntries(slots.map(({ verdict }) => [nameOf(Verdict, verdict), true])),
    "void: nothing sealed": !sealed,
    "void: nothing published": sealed && published === 0,
    "void: no quorum revealed": isVoid && published > 0,
    "no seed latched": seed === undefined,
    "some unpublished": !isVoid && published < proposals.length,
    "some unrevealed": !isVoid && ballots.some(({ opened }) => opened === undefined),
    "a reference head": reference !== undefined,
    "another head than the reference": ballots.some(({ opened }) => reference && opened && opened.head !== reference),
    "paid and slashed in one round": paid > 0n && slashed > 0n,
    "bounty of an accuser": accounts.some(({ bounty }) => bounty > 0n),
    "more than eight slots": slots.length > 8,
    "forty seats or more": ballots.reduce((sum, { seats }) => sum + seats, 0) >= 40,
  };
}
