import { UnrecoverableError } from "bullmq";
import { PermanentError } from "../../protocol/errors.ts";

/** Runs of one job before it counts as failed; it takes about seven minutes to get there. */
export const ATTEMPTS = 12;

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;
const MARK = "permanent: ";

/**
 * The one place where our errors become the queue's: a permanent one is not tried again. The mark tells later readers of the
 * stored reason why the job failed, since the queue keeps no more than the message.
 */
export function toQueueError(error: unknown): Error {
  if (error instanceof PermanentError) return new UnrecoverableError(MARK + error.message);
  return error instanceof Error ? error : new Error(String(error));
}

/** Takes the stored reason of a failure apart. */
export function fromFailedReason(reason: string | undefined): { message: string; permanent: boolean } {
  const text = reason ?? "";
  const permanent = text.startsWith(MARK);
  return { message: permanent ? text.slice(MARK.length) : text, permanent };
}

/** Milliseconds before the next run: doubling, capped, and spread over half its length so that workers do not march in step. */
export function backoff(attemptsMade: number): number {
  const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attemptsMade - 1));
  return Math.round(delay * (1 - Math.random() / 2));
}
