import { closing, emptyPurse, funded } from "../rules/purse.ts";
import { termsSchema } from "../terms.ts";
import { check, demand } from "./error.ts";
import type { FlockEvent } from "./events.ts";
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
    headId: manifest,
    heads: [],
    accounts: new Map(),
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
  check(event, "refundable", from === task.creator, refundable);
  task.purse = funded(task.purse, amount, refundable, openNumber(task) !== undefined);
}

export function closeAnnounced(state: State, event: FlockEvent<"CloseAnnounced">): void {
  const task = taskOf(state, event);
  demand(event, !task.closed, "no notice for a closed task", event.args.closableAt);
  check(event, "closableAt", event.blockTimestamp + task.terms.unbonding, event.args.closableAt);
  task.purse = { ...task.purse, closableAt: event.args.closableAt };
}

export function taskClosed(state: State, event: FlockEvent<"TaskClosed">): void {
  const task = taskOf(state, event);
  const { closableAt } = task.purse;
  demand(event, !task.closed, "a task closes once", "a second close");
  demand(event, openNumber(task) === undefined, "no open round", task.round?.number);
  const entitled =
    task.paidRounds >= task.terms.rounds ||
    task.voids >= task.terms.maxVoids ||
    (closableAt !== 0 && event.blockTimestamp >= closableAt);
  demand(event, entitled, "rounds used up, too many void rounds, or the notice over", { closableAt });
  const { refund, burned } = closing(task.purse);
  check(event, "refund", refund, event.args.refund);
  check(event, "burned", burned, event.args.burned);
  check(event, "BurnScheduled before it", burned, state.burning);
  state.burning = 0n;
  task.purse = { ...task.purse, pot: 0n, incoming: 0n };
  task.closed = true;
}
