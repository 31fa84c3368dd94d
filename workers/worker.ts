import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { openArtifacts } from "./artifacts.ts";
import type { WorkOptions } from "./compute/client.ts";
import type { OperatorConfig, RoleName } from "./config.ts";
import { sha256OfFolder } from "./files.ts";
import { openHeads } from "./heads.ts";
import { type Logger, openLog } from "./log.ts";
import { openOperatorChain, openOperatorCompute, openOperatorKey, openTask, readMoves } from "./operator.ts";
import { openQueueBackend } from "./queue/backend.ts";
import { connectQueue } from "./queue/connect.ts";
import { queueNamespace } from "./queue/jobs.ts";
import type { JobWorker, Json, JsonObject, Processor, RunningJob } from "./queue/types.ts";
import { openResults } from "./results.ts";
import { openLook } from "./scheduler/look.ts";
import { runScheduler } from "./scheduler/scheduler.ts";
import { intentFromJson } from "./sender/intents.ts";
import { openSender } from "./sender/sender.ts";
import { openStatus, type StatusFile } from "./status.ts";
import { serveStore } from "./store/serve.ts";
import { openStore } from "./store/store.ts";
import { trainForRound } from "./trainer/trainer.ts";
import { readBallot, validateRound } from "./validator/validator.ts";

export type RunWorkerOptions = {
  roles: readonly RoleName[];
  /** Ends the worker: it takes no more jobs, lets those that run end within half a minute, and returns. */
  signal: AbortSignal;
  /** One line for people about what was started. */
  onStarted?: ((line: string) => void) | undefined;
};

/** A job of a worker that died is taken up again after so long, in milliseconds: nothing here blocks the lock's renewal. */
const LOCKS = { lockDurationMs: 15_000, stalledIntervalMs: 5_000 };
const CLOSE_GRACE_MS = 30_000;

/**
 * Runs one operator's worker process until the signal aborts: store, queue, and what its roles ask for.
 * @throws FlockError if something it needs at the start is wrong or cannot be reached.
 */
export async function runWorker(config: OperatorConfig, { roles, signal, onStarted }: RunWorkerOptions): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { operator, task, work } = config;
  await mkdir(work, { recursive: true });
  const log = openLog({ name: "worker", destination: join(work, "worker.log") });
  const has = (role: RoleName) => roles.includes(role);

  const chain = await openOperatorChain(config);
  const { materials, identity } = await openTask(chain, config);
  const key = has("sender") ? await openOperatorKey(config) : undefined;

  const store = await openStore(config.store.dir);
  const server = has("scheduler") ? await serveStore(store, { ...hostOf(config), log }) : undefined;
  if (server !== undefined) stack.defer(() => server.close());
  const endpoint = config.store.url ?? server?.url;

  const backend = await openQueueBackend({ dir: join(work, "queue"), ...queueUrl(config) });
  stack.defer(() => backend.close());
  const namespace = queueNamespace({ chainId: chain.chainId, genesis: chain.genesis, operator });
  const link = connectQueue(backend.connection, { namespace, log });
  stack.defer(() => link.close());

  const results = openResults(join(work, "results"));
  const status = openStatus(work, {
    ...{ pid: process.pid, startedAt: new Date().toISOString(), operator, task: String(task), roles },
    ...{ queue: backend.kind, store: endpoint ?? null, seen: null, duties: [], work: null, lastError: null },
  });
  stack.defer(() => status.flush());
  const look = openLook(chain, { task, operator });
  const processors: [name: string, processor: Processor][] = [];

  if (has("trainer") || has("validator")) {
    const compute = openOperatorCompute(config, (line) => log.info({ line }, "the compute process says"));
    stack.defer(() => compute.close());
    const artifacts = openArtifacts({
      store,
      maxBytes: materials.artifactBytes,
      allowLoopback: config.store.allowLoopback,
    });
    const heads = openHeads({
      dir: join(work, "heads"),
      first: materials.digest,
      readMoves: () => readMoves(chain, task),
      artifacts,
      compute,
    });
    const shared = { identity, look, store, heads, results, compute, scratch: join(work, "scratch") };
    if (has("trainer")) {
      const trainer = { ...shared, data: config.data.train, training: config.training };
      processors.push(["train", (job, aborted) => trainForRound(trainer, roundOf(job), doing(status, job, aborted))]);
    }
    if (has("validator")) {
      const validator = {
        ...{ ...shared, manifest: materials.manifest, artifacts, salt: await ownSecret(work) },
        ...{ publicData: config.data.public, privateData: config.data.private, patience: config.store.patience },
      };
      processors.push([
        "validate",
        (job, aborted) => validateRound(validator, roundOf(job), doing(status, job, aborted)),
      ]);
    }
  }
  if (key !== undefined) {
    const sender = openSender({ chain, key, dir: work, readBallot: (report) => readBallot(results, report), log });
    stack.defer(() => sender.close());
    processors.push([
      "send",
      async (job, aborted) => {
        const { state, hash, result } = await sender.send(intentFromJson(job.data), { signal: aborted });
        return { state, hash: hash ?? null, result };
      },
    ]);
  }

  const workers = processors.map(([name, run]) => link.worker(name, logged(log, status, run), LOCKS));
  stack.defer(() => closeAll(workers));
  onStarted?.(
    `Worker ${process.pid} of ${operator}, task ${task} on chain ${chain.chainId}: ${roles.join(", ")}; ` +
      `queue on ${backend.kind}${endpoint === undefined ? "" : `, store at ${endpoint}`}; log and status in ${work}.`,
  );
  log.info({ operator, task: String(task), roles, queue: backend.kind, endpoint }, "started");

  if (has("scheduler") && endpoint !== undefined) {
    const queues = { train: link.queue("train"), validate: link.queue("validate"), send: link.queue("send") };
    const { pollSeconds, stagger } = config;
    const setup = await setupOf(config);
    await runScheduler(
      {
        ...{ identity, look, queues, results, store, endpoint, setup, pollSeconds, stagger, log },
        onLook: async (outcome) => {
          if ("error" in outcome) status.error(outcome.error);
          else status.look(outcome.look, outcome.duties);
        },
      },
      signal,
    );
  } else {
    await aborted(signal);
  }
  log.info("stops");
}

function hostOf({ store: { host, port } }: OperatorConfig): { host: string; port: number } {
  return { host, port };
}

function queueUrl({ queue: { url } }: OperatorConfig): { url?: string; databaseUrl?: string } {
  if (url === undefined) return {};
  return /^postgres(ql)?:/.test(url) ? { databaseUrl: url } : { url };
}

function roundOf({ data }: RunningJob): { round: number } {
  return { round: Number(data.round) };
}

/** Tells the queue and the status file how far a job is, at most once a second. */
function doing(status: StatusFile, job: RunningJob, signal: AbortSignal): WorkOptions {
  let last = 0;
  return {
    signal,
    onProgress(done, total) {
      const now = performance.now();
      if (now - last < 1000 && done < total) return;
      last = now;
      status.update({ work: { id: job.id, done, total } });
      job.progress({ done, total }).catch(() => {}); // whoever watches sees the next one
    },
  };
}

/** Notes the beginning and the end of every job. */
function logged(log: Logger, status: StatusFile, run: Processor): Processor {
  return async (job, signal) => {
    const started = performance.now();
    const { id, attempt } = job;
    log.info({ job: id, attempt }, "begins");
    try {
      const value: Json = await run(job, signal);
      log.info({ job: id, seconds: (performance.now() - started) / 1000, value: value as JsonObject }, "done");
      return value;
    } catch (error) {
      const { message, name } = error as Error;
      log.warn({ job: id, seconds: (performance.now() - started) / 1000, kind: name, reason: message }, "failed");
      status.error(error as Error);
      throw error;
    } finally {
      status.update({ work: null });
    }
  };
}

async function closeAll(workers: readonly JobWorker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.close({ graceMs: CLOSE_GRACE_MS })));
}

/** A secret of this operator's work folder, made on the first start. */
async function ownSecret(work: string): Promise<string> {
  const file = join(work, "secret");
  await writeFile(file, randomBytes(32).toString("hex"), { flag: "wx", mode: 0o600 }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  });
  return readFile(file, "utf8");
}

/** Digest of the data and settings that training and validation would use now. */
async function setupOf({ data, training, compute }: OperatorConfig): Promise<Hex> {
  const folders = [data.train, data.private].filter((folder) => folder !== undefined);
  const digests = await Promise.all(folders.map((folder) => sha256OfFolder(folder, ".jsonl").catch(() => "absent")));
  return `0x${createHash("sha256")
    .update(JSON.stringify([digests, training, compute]))
    .digest("hex")}`;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
