import { closing, emptyPurse, funded, isIdle } from "../rules/purse.ts";
import { termsSchema } from "../terms.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent, Told } from "./events.ts";
import { openNumber, type State, type Task } from "./state.ts";

/** The task that an event speaks of. */
export function taskOf(state: State, event: FlockEvent & { args: { task: bigint } }): Task {
  const task = state.tasks.get(event.args.task);
  demand(event, task !== undefined, "a task that was created", event.args.task);
  return task;
}

export function taskCreated(state: State, event: FlockEvent<"TaskCreated">): void {
  const { task: id, creator, manifest, terms } = event.args;
  check(event, "task", BigInt(state.tasks.size + 1), id);
  demand(event, termsSchema.safeParse(terms).success, "terms within their bounds", terms);
  state.tasks.set(id, {
    id,
    creator,
    manifest,
    terms,
    closed: false,
    closableAt: 0,
    headId: manifest,
    heads: [],
    accounts: new Map(),
    delegations: new Map(),
    positions: new Map(),
    signers: new Map(),
    trainerTotal: 0n,
    voterTotal: 0n,
    purse: emptyPurse(),
    paidRounds: 0,
    voids: 0,
    round: undefined,
    history: [],
  });
}

export function taskFunded(state: State, event: FlockEvent<"Funded">): void {
  const task = taskOf(state, event);
  const { from, amount, refundable } = event.args;
  demand(event, !task.closed, "no deposit into a closed task", amount);
  demand(event, amount > 0n, "a deposit above zero", amount);
  demand(event, task.paidRounds < task.terms.rounds, "a round left to pay", task.paidRounds);
  check(event, "refundable", from === task.creator, refundable);
  task.purse = funded(task.purse, event.args, openNumber(task) !== undefined, event.blockTimestamp);
}

export function closeAnnounced(state: State, event: FlockEvent<"CloseAnnounced">): void {
  const task = taskOf(state, event);
  demand(event, !task.closed, "no notice for a closed task", event.args.closableAt);
  check(event, "closableAt", event.blockTimestamp + task.terms.unbonding, event.args.closableAt);
  task.closableAt = event.args.closableAt;
}

/** Closes a task, if it may be closed now; what it credits and burns is the caller's. */
function close(task: Task, event: FlockEvent): { refund: bigint; burned: bigint } {
  const { terms, closableAt, paidRounds, voids } = task;
  demand(event, !task.closed, "a task closes once", "a second close");
  demand(event, openNumber(task) === undefined, "no open round", task.round?.number);
  const entitled =
    paidRounds >= terms.rounds ||
    voids >= terms.maxVoids ||
    (closableAt !== 0 && event.blockTimestamp >= closableAt) ||
    isIdle(task.purse, terms, event.blockTimestamp);
  const rule = "rounds used up, too many void rounds, the notice over, or no round for too long";
  demand(event, entitled, rule, { closableAt, paidRounds, voids });
  const account = closing(task.purse);
  task.purse = { ...task.purse, pot: 0n, incoming: 0n };
  task.closed = true;
  return account;
}

/** The first log of a close that refunds anything. Returns what its transaction must say, this log included. */
export function closeBegun(state: State, event: FlockEvent<"Credited">): Told[] {
  const task = taskOf(state, event);
  const { refund, burned } = close(task, event);
  demand(event, refund > 0n, "nothing to refund", event.args.amount);
  state.toBurn += burned;
  return [
    { name: "Credited", args: { task: task.id, to: task.creator, amount: refund } },
    ...(burned > 0n ? [{ name: "BurnScheduled", args: { amount: burned } } as const] : []),
    { name: "TaskClosed", args: { task: task.id, refund, burned } },
  ];
}

/** The last log of a close that refunds nothing. */
export function taskClosed(state: State, event: FlockEvent<"TaskClosed">): void {
  const { refund, burned } = close(taskOf(state, event), event);
  check(event, "Credited before it", refund, 0n);
  check(event, "refund", refund, event.args.refund);
  check(event, "burned", burned, event.args.burned);
  check(event, "BurnScheduled before it", burned, state.burning);
  state.burning = 0n;
}
