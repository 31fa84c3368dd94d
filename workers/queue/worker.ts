import { setTimeout as sleep } from "node:timers/promises";
import { type Job as QueuedJob, Worker } from "bullmq";
import type { Endpoint } from "./endpoint.ts";
import { backoff, toQueueError } from "./failures.ts";
import { revive } from "./revive.ts";
import type { JobWorker, JsonObject, Processor, WorkerOptions } from "./types.ts";

const LOCK_MS = 60_000;
const STALLED_MS = 15_000;
/** Deaths of a worker that one job survives. */
const MAX_STALLED = 3;
/** Longest sleep of an idle worker, in seconds, should a wake-up call get lost. */
const IDLE_SECONDS = 5;
const GRACE_MS = 30_000;
/** What a job gets to notice that it was aborted. */
const ABORT_MS = 5_000;

export type WorkerParameters = {
  name: string;
  processor: Processor;
  options: WorkerOptions;
  onError: (error: Error) => void;
};

/** Our face of one BullMQ worker: it turns our errors into the queue's and a lost lock into an aborted signal. */
export function jobWorker(endpoint: Endpoint, { name, processor, options, onError }: WorkerParameters): JobWorker {
  const run = async (job: QueuedJob, _token: string | undefined, signal: AbortSignal | undefined) => {
    try {
      return await processor(
        {
          id: job.id as string,
          kind: job.name,
          data: job.data as JsonObject,
          attempt: job.attemptsMade + 1,
          progress: (value) => job.updateProgress(value),
        },
        signal as AbortSignal,
      );
    } catch (error) {
      // What an aborted job says of itself counts for nothing: it runs again elsewhere.
      if (signal?.aborted) throw new Error(`The job was stopped: ${String(signal.reason)}.`, { cause: error });
      throw toQueueError(error);
    }
  };
  const make = () => {
    const worker = new Worker(
      name,
      run,
      {
        ...endpoint.options,
        concurrency: options.concurrency ?? 1,
        lockDuration: options.lockDurationMs ?? LOCK_MS,
        stalledInterval: options.stalledIntervalMs ?? STALLED_MS,
        maxStalledCount: MAX_STALLED,
        drainDelay: IDLE_SECONDS,
        settings: { backoffStrategy: backoff },
      },
      endpoint.factory,
    );
    worker.on("error", onError);
    worker.on("lockRenewalFailed", (ids) => {
      for (const id of ids) worker.cancelJob(id, "its lock was lost");
    });
    return worker;
  };
  const worker = revive(make);

  return {
    ready: () => worker.ready,
    close: ({ graceMs = GRACE_MS } = {}) => worker.close((last) => closeWorker(last, graceMs)),
  };
}

async function closeWorker(worker: Worker, graceMs: number): Promise<void> {
  const closed = worker.close();
  if (await settles(closed, graceMs)) return;
  worker.cancelAllJobs("the worker closes");
  if (await settles(closed, ABORT_MS)) return;
  await settles(worker.disconnect(), ABORT_MS);
}

async function settles(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      promise.then(() => true),
      sleep(milliseconds, false, { signal: timer.signal }).catch(() => false),
    ]);
  } finally {
    timer.abort();
  }
}
