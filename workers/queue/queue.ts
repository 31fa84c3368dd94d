import type { Queue, Job as QueuedJob } from "bullmq";
import { FlockError, PassingError } from "../../protocol/errors.ts";
import { fromFailedReason } from "./failures.ts";
import { checkJob } from "./jobs.ts";
import type { JobQueue, JobResult, JobStatus, Json } from "./types.ts";

/** Our face of one BullMQ queue. Redis waits through an outage; on Postgres a call fails in a passing way. */
export function jobQueue(queue: () => Queue): JobQueue {
  return {
    ensure: (job, options) => reach(() => rawQueue(queue()).ensure(job, options)),
    status: (id) => reach(() => rawQueue(queue()).status(id)),
    result: (id) => reach(() => rawQueue(queue()).result(id)),
    counts: () => reach(() => rawQueue(queue()).counts()),
  };
}

async function reach<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof FlockError) throw error;
    throw new PassingError(`The queue server does not answer: ${(error as Error).message}.`, { cause: error });
  }
}

function rawQueue(queue: Queue): JobQueue {
  const status = async (id: string) => toStatus(await queue.getJobState(id));
  return {
    async ensure(job, { again = false } = {}) {
      checkJob(job);
      const before = await status(job.id);
      if (before === "absent") {
        await queue.add(job.kind, job.data, { jobId: job.id });
        return status(job.id);
      }
      if (before !== "failed" && !(before === "completed" && again)) return before;
      const known: QueuedJob | undefined = await queue.getJob(job.id);
      if (known === undefined) return status(job.id);
      if (before === "failed" && fromFailedReason(known.failedReason).permanent) return before;
      await known.retry(before, { resetAttemptsMade: true, resetAttemptsStarted: true }).catch(() => {
        // Somebody else was faster: the job is no longer finished, which is what we want.
      });
      return status(job.id);
    },
    status,
    async result(id): Promise<JobResult> {
      const now = await status(id);
      if (now !== "completed" && now !== "failed") return { status: now };
      const job: QueuedJob | undefined = await queue.getJob(id);
      if (job === undefined) return { status: "absent" };
      if (now === "completed") return { status: now, value: job.returnvalue as Json };
      return { status: now, ...fromFailedReason(job.failedReason) };
    },
    async counts() {
      const counts = await queue.getJobCounts("waiting", "delayed", "active", "completed", "failed");
      const of = (status: string) => counts[status] ?? 0;
      return {
        waiting: of("waiting"),
        delayed: of("delayed"),
        active: of("active"),
        completed: of("completed"),
        failed: of("failed"),
      };
    },
  };
}

function toStatus(state: string): JobStatus {
  switch (state) {
    case "active":
    case "completed":
    case "delayed":
    case "failed":
      return state;
    case "unknown":
      return "absent";
    default:
      return "waiting";
  }
}
