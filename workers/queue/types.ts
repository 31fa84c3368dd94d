/** What a queue is to the rest of the workers: no word here tells Redis from Postgres. */

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export type QueueKind = "redis" | "pglite" | "postgres";

/** How to reach the queue server; plain data, so that worker processes can be told by a file or an argument. */
export type QueueConnection = { redis: string } | { postgres: string };

export type QueueBackend = {
  kind: QueueKind;
  connection: QueueConnection;
  /** Process id of the server if we started it. */
  pid(): number | undefined;
  /** Stops the server if we started it; a server of somebody else goes on. */
  close(): Promise<void>;
};

/** One piece of work. `id` is made of chain facts (see `jobId`), so the same duty is the same job. */
export type Job = { id: string; kind: string; data: JsonObject };

export type JobStatus = "absent" | "waiting" | "delayed" | "active" | "completed" | "failed";

export type JobResult =
  | { status: "completed"; value: Json }
  | { status: "failed"; message: string; permanent: boolean }
  | { status: Exclude<JobStatus, "completed" | "failed"> };

export type JobQueue = {
  /**
   * Makes sure that the job exists and returns how it stands now. A job that failed for a passing reason is put back; one that
   * failed for a permanent reason stays failed. `again` runs a completed job again: the chain says that it is still due.
   */
  ensure(job: Job, options?: { again?: boolean | undefined }): Promise<JobStatus>;
  status(id: string): Promise<JobStatus>;
  result(id: string): Promise<JobResult>;
  counts(): Promise<Record<Exclude<JobStatus, "absent">, number>>;
};

export type RunningJob = Job & {
  /** 1 on the first run. */
  attempt: number;
  /** Tells whoever listens to the queue's events how far the job is. */
  progress(value: JsonObject): Promise<void>;
};

/**
 * Does the work of one job. Must be safe to repeat: a job runs at least once, not exactly once. `signal` aborts when the job's
 * lock is lost or the worker has no more time to close.
 */
export type Processor = (job: RunningJob, signal: AbortSignal) => Promise<Json>;

export type WorkerOptions = {
  /** Jobs at the same time. */
  concurrency?: number | undefined;
  /** How long a job stays ours without a sign of life, in milliseconds. */
  lockDurationMs?: number | undefined;
  /** How often jobs of dead workers are looked for, in milliseconds. */
  stalledIntervalMs?: number | undefined;
};

export type JobWorker = {
  ready(): Promise<void>;
  /** Takes no more jobs and waits for the running ones; after `graceMs` (30 s) their signals abort and they are left to others. */
  close(options?: { graceMs?: number | undefined }): Promise<void>;
};

export type JobEvent =
  | { event: "completed"; id: string; value: Json }
  | { event: "failed"; id: string; message: string; permanent: boolean }
  | { event: "progress"; id: string; value: Json };

export type JobEvents = {
  ready(): Promise<void>;
  /** Calls the listener for what happens from now on; returns a function that ends it. */
  listen(listener: (event: JobEvent) => void): () => void;
  close(): Promise<void>;
};

export type QueueLink = {
  queue(name: string): JobQueue;
  worker(name: string, processor: Processor, options?: WorkerOptions): JobWorker;
  events(name: string): JobEvents;
  /** Closes everything that this link opened. */
  close(): Promise<void>;
};
