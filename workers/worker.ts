import { once } from "node:events";
import { join } from "node:path";
import { ExitCode, PermanentError } from "../protocol/errors.ts";
import type { OperatorConfig, RoleName } from "./config.ts";
import { openFolder } from "./files.ts";
import { openLog } from "./log.ts";
import { openOperatorChain, openTask } from "./operator.ts";
import { openComputing, openSending, type QueueProcessor, type Workbench } from "./processors.ts";
import { openQueueBackend } from "./queue/backend.ts";
import { connectQueue } from "./queue/connect.ts";
import { queueNamespace } from "./queue/jobs.ts";
import { openResults } from "./results.ts";
import { openLook } from "./scheduler/look.ts";
import { runScheduler } from "./scheduler/scheduler.ts";
import { setupOf } from "./setup.ts";
import { openStatus } from "./status.ts";
import { serveStore } from "./store/serve.ts";
import { openStore } from "./store/store.ts";
import { watched } from "./watched.ts";

export type RunWorkerOptions = {
  roles: readonly RoleName[];
  /** Ends the worker: it takes no more jobs, lets those that run end within half a minute, and returns. */
  signal: AbortSignal;
  /** One line for people about what was started. */
  onStarted?: ((line: string) => void) | undefined;
};

/** A job of a worker that died is taken up again after so long, in milliseconds: nothing here blocks the lock's renewal. */
const LOCKS = { lockDurationMs: 15_000, stalledIntervalMs: 5_000 };
/** What running jobs get to end by themselves, in milliseconds; with what follows it stays below half a minute. */
const CLOSE_GRACE_MS = 20_000;

/**
 * Runs one operator's worker process until the signal aborts: store, queue, and what its roles ask for.
 * @throws FlockError if something it needs at the start is wrong or cannot be reached.
 */
export async function runWorker(config: OperatorConfig, { roles, signal, onStarted }: RunWorkerOptions): Promise<void> {
  await using stack = new AsyncDisposableStack(); // closes in the reverse order of what follows
  const { operator, task, work, pollSeconds, stagger } = config;
  const has = (role: RoleName) => roles.includes(role);
  if (has("scheduler")) requireReachable(config);
  await openFolder(work, { what: "work folder", setting: "work" });
  const log = openLog({ name: "worker", destination: join(work, "worker.log") });

  const chain = await openOperatorChain(config);
  const { materials, identity } = await openTask(chain, config);
  const results = openResults(join(work, "results"));
  const store = await openStore(config.store.dir);
  const look = openLook(chain, { task, operator, accuse: config.accuse });

  const backend = await openQueueBackend({ dir: join(work, "queue"), ...queueUrl(config) });
  stack.defer(() => backend.close());
  const namespace = queueNamespace({ chainId: chain.chainId, genesis: chain.genesis, operator });
  const link = connectQueue(backend.connection, { namespace, log });
  stack.defer(() => link.close());

  // The store is served by whoever announces it.
  const { host, port } = config.store;
  const server = has("scheduler") ? await serveStore(store, { host, port, log }) : undefined;
  if (server !== undefined) stack.defer(() => server.close());
  const endpoint = server === undefined ? undefined : (config.store.url ?? server.url);

  const status = openStatus(work, {
    ...{ pid: process.pid, startedAt: new Date().toISOString(), operator, task: String(task), roles },
    ...{
      queue: backend.kind,
      store: endpoint ?? null,
      seen: null,
      duties: [],
      work: null,
      engine: null,
      lastError: null,
    },
  });
  stack.defer(() => status.flush());

  const bench: Workbench = { config, chain, identity, materials, store, results, look, log, status };
  const processors: QueueProcessor[] = [];
  if (has("trainer") || has("validator")) {
    const computing = await openComputing(bench, { trains: has("trainer"), validates: has("validator") });
    stack.defer(() => computing.close());
    processors.push(...computing.processors);
  }
  if (has("sender")) {
    const sending = await openSending(bench);
    stack.defer(() => sending.close());
    processors.push(sending.processor);
  }
  const workers = processors.map(({ queue, process }) => link.worker(queue, watched(bench, process), LOCKS));
  stack.defer(async () => {
    await Promise.all(workers.map((worker) => worker.close({ graceMs: CLOSE_GRACE_MS })));
  });

  log.info({ operator, task: String(task), roles, queue: backend.kind, endpoint }, "started");
  onStarted?.(
    `Worker ${process.pid} of ${operator}, task ${task} on chain ${chain.chainId}: ${roles.join(", ")}; ` +
      `queue on ${backend.kind}${endpoint === undefined ? "" : `, store at ${endpoint}`}; log and status in ${work}.`,
  );
  if (endpoint !== undefined) {
    const queues = { train: link.queue("train"), validate: link.queue("validate"), send: link.queue("send") };
    const setup = await setupOf(config);
    await runScheduler(
      {
        ...{ identity, look, queues, results, store, endpoint, setup, pollSeconds, stagger, log },
        onLook: (outcome) =>
          "error" in outcome ? status.error(outcome.error) : status.look(outcome.look, outcome.duties),
      },
      signal,
    );
  } else if (!signal.aborted) await once(signal, "abort");
  log.info("stops");
}

/** Others fetch artifacts from here; an update that they cannot fetch counts as missing and costs stake. */
function requireReachable({ store: { url, allowLoopback } }: OperatorConfig): void {
  if (url !== undefined || allowLoopback) return;
  throw new PermanentError(
    'Others could not reach this store: give "store.url", the URL at which they do (on a network of one machine, "store.allowLoopback": true).',
    { exitCode: ExitCode.usage },
  );
}

function queueUrl({ queue: { url } }: OperatorConfig): { url?: string; databaseUrl?: string } {
  if (url === undefined) return {};
  return /^postgres(ql)?:/.test(url) ? { databaseUrl: url } : { url };
}
