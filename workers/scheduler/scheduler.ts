import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import type { Logger } from "../log.ts";
import type { Results } from "../results.ts";
import type { Store } from "../store/store.ts";
import { type Identity, inputsOf, measuredSchema, trainedSchema } from "../work.ts";
import { duties, type Own } from "./duties.ts";
import type { Look } from "./look.ts";
import { type DutyQueues, type DutyStatus, openReconciler } from "./reconcile.ts";

export type SchedulerParameters = {
  identity: Identity;
  look: () => Promise<Look>;
  queues: DutyQueues;
  results: Results;
  store: Store;
  /** Where the store can be reached by others. */
  endpoint: string;
  /** Digests of data and settings, see `Own`. */
  setup: Hex;
  pollSeconds: number;
  stagger: number;
  log: Logger;
  /** Called after every look, also a failed one. */
  onLook?: ((outcome: { look: Look; duties: DutyStatus[] } | { error: Error }) => void) | undefined;
};

/**
 * Looks at the chain again and again and makes sure that the right jobs exist, until the signal aborts. It depends on no event: a
 * look that fails is made up for by the next.
 */
export async function runScheduler(parameters: SchedulerParameters, signal: AbortSignal): Promise<void> {
  const { look, queues, pollSeconds, stagger, log, onLook } = parameters;
  const reconcile = openReconciler(queues);
  while (!signal.aborted) {
    try {
      const seen = await look();
      const own = await ownOf(parameters, seen);
      const list = duties(seen.situation, own);
      const statuses = await reconcile(list, { round: seen.situation.round, stagger });
      onLook?.({ look: seen, duties: statuses });
    } catch (cause) {
      const error = cause as Error;
      log.warn({ reason: error.message }, "a look at the chain failed; the next may not");
      onLook?.({ error });
    }
    await sleep(pollSeconds * 1000, undefined, { signal }).catch(() => {});
  }
}

/** What is at hand for the open round: kept results whose bytes are still in the store. */
async function ownOf({ identity, results, store, endpoint, setup }: SchedulerParameters, { situation }: Look) {
  const trained = await results.get(inputsOf("train", identity, situation), trainedSchema);
  const measured = await results.get(inputsOf("validate", identity, situation), measuredSchema);
  const own: Own = {
    artifact: trained !== undefined && (await store.has(trained.artifact)) ? trained.artifact : undefined,
    report: measured !== undefined && (await store.has(measured.report)) ? measured.report : undefined,
    endpoint,
    setup,
  };
  return own;
}
