import type { WorkOptions } from "./compute/client.ts";
import type { Logger } from "./log.ts";
import type { Json, JsonObject, Processor, RunningJob } from "./queue/types.ts";
import type { StatusFile } from "./status.ts";

export type Watchers = { log: Logger; status: StatusFile };

/** Notes the beginning and the end of every job in the log, and its failure in the status file. */
export function watched({ log, status }: Watchers, run: Processor): Processor {
  return async (job, signal) => {
    const started = performance.now();
    const { id, attempt } = job;
    log.info({ job: id, attempt }, "begins");
    try {
      const value: Json = await run(job, signal);
      log.info({ job: id, seconds: secondsSince(started), value: value as JsonObject }, "done");
      return value;
    } catch (error) {
      const { message, name } = error as Error;
      log.warn({ job: id, seconds: secondsSince(started), kind: name, reason: message }, "failed");
      status.error(error as Error);
      throw error;
    } finally {
      status.update({ work: null });
    }
  };
}

function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}

/** Tells the log and the status file what computes a job, and the queue and the status file how far it is, at most once a second. */
export function telling({ log, status }: Watchers, job: RunningJob, signal: AbortSignal): WorkOptions {
  let last = 0;
  return {
    signal,
    onEngine(engine) {
      status.update({ engine });
      log.info({ job: job.id, engine }, "computes");
    },
    onProgress(done, total) {
      const now = performance.now();
      if (now - last < 1000 && done < total) return;
      last = now;
      status.update({ work: { id: job.id, done, total } });
      job.progress({ done, total }).catch(() => {}); // whoever watches sees the next one
    },
  };
}
