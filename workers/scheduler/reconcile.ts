import type { JobQueue, JobStatus } from "../queue/types.ts";
import { intentToJson } from "../sender/intents.ts";
import type { Duty } from "./duties.ts";

/** The queues of an operator's duties: computing and sending do not wait for each other. */
export type DutyQueues = { train: JobQueue; validate: JobQueue; send: JobQueue };

export type DutyStatus = { id: string; kind: string; status: JobStatus | "waiting for its turn" };

export type ReconcileOptions = {
  round: number;
  /** Seconds over which operators spread what any of them may do. */
  stagger: number;
  /** Seconds since an arbitrary moment; a clock that can jump must not be used. */
  now?: number | undefined;
};

/** Seconds for which a completed job's duty may still show as due: what it did needs a block to be seen. */
const SETTLING = 30;

export type Reconcile = (list: readonly Duty[], options: ReconcileOptions) => Promise<DutyStatus[]>;

/**
 * Makes the queues hold a job for every duty. It remembers only since when a duty has been due, so that forgetting it, or the
 * queue forgetting everything, costs time and nothing else.
 */
export function openReconciler(queues: DutyQueues): Reconcile {
  let dueSince = new Map<string, number>();

  return async (list, { round, stagger, now = performance.now() / 1000 }) => {
    dueSince = new Map(list.map(({ id }) => [id, dueSince.get(id) ?? now]));
    const statuses: DutyStatus[] = [];
    for (const duty of list) {
      const { id, turn } = duty;
      const kind = duty.kind === "send" ? duty.intent.kind : duty.kind;
      const waited = now - (dueSince.get(id) as number);
      if (waited < turn * stagger) {
        statuses.push({ id, kind, status: "waiting for its turn" });
        continue;
      }
      const data = duty.kind === "send" ? intentToJson(duty.intent) : { round };
      const again = waited - turn * stagger > SETTLING;
      if (again) dueSince.set(id, now - turn * stagger);
      statuses.push({ id, kind, status: await queues[duty.kind].ensure({ id, kind, data }, { again }) });
    }
    return statuses;
  };
}
