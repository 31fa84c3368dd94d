import { PermanentError } from "../../protocol/errors.ts";
import type { Job } from "./types.ts";

/** A job names files and facts by their digests; whatever is bigger belongs in the store. */
export const MAX_PAYLOAD_BYTES = 4096;

const ID = /^[a-z][A-Za-z0-9._-]*$/;

/**
 * The id of a duty: its kind and the chain facts that make it this one and no other, joined by "-".
 * BullMQ refuses a colon and a bare integer; the leading letter excludes the latter.
 */
export function jobId(kind: string, ...facts: (string | number | bigint)[]): string {
  const id = [kind, ...facts].join("-");
  if (!ID.test(id)) throw new PermanentError(`"${id}" cannot name a job: use letters, digits, ".", "_" and "-".`);
  return id;
}

/** @throws PermanentError if the queue would refuse the id or the payload is more than 4 KiB of JSON. */
export function checkJob(job: Job): void {
  if (!ID.test(job.id)) {
    throw new PermanentError(`"${job.id}" cannot name a job: begin with a small letter, without ":" or spaces.`);
  }
  const bytes = Buffer.byteLength(JSON.stringify(job.data));
  if (bytes > MAX_PAYLOAD_BYTES) {
    throw new PermanentError(
      `The job ${job.id} carries ${bytes} bytes, more than ${MAX_PAYLOAD_BYTES}: put the content into the store and its digest into the job.`,
    );
  }
}

export type NamespaceParameters = { chainId: number; genesis: string; operator: string };

/**
 * The part of every queue's name that keeps operators and chains apart. The genesis block's hash is in it because two local
 * chains have the same id and often the same accounts: one must not find the other's finished jobs.
 */
export function queueNamespace({ chainId, genesis, operator }: NamespaceParameters): string {
  return `flock-${chainId}-${genesis.slice(2, 10)}-${operator.toLowerCase()}`;
}
