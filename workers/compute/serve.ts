import { Worker } from "node:worker_threads";
import type { Engine } from "../../learning/validate/report.ts";
import { FlockError, PermanentError } from "../../protocol/errors.ts";
import { type Answer, type ComputeKind, orderSchema, type RequestOf, type ResultOf } from "./protocol.ts";

export type Doing = {
  signal: AbortSignal;
  onProgress: (done: number, total: number) => void;
  onEngine: (engine: Engine) => void;
};

/** One function for each kind of work. */
export type Handlers = { [K in ComputeKind]: (request: RequestOf<K>, doing: Doing) => Promise<ResultOf<K>> };

const BEAT = 1000; // milliseconds between two signs of life

/**
 * Makes this process a compute process: takes orders over the IPC channel and answers them with `handlers`. It ends when
 * the channel closes or the parent is gone, leaves an interrupt at the terminal to its parent, and dies of SIGTERM.
 */
export function serveCompute(handlers: Handlers): void {
  const running = new Map<number, AbortController>();
  const say = (answer: Answer) => void (process.connected && process.send?.(answer));

  async function run<K extends ComputeKind>(id: number, request: RequestOf<K>): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    const onProgress = (done: number, total: number) => say({ type: "progress", id, done, total });
    const onEngine = (engine: Engine) => say({ type: "engine", id, engine });
    try {
      const handler = handlers[request.kind] as Handlers[K];
      const result = await handler(request, { signal: controller.signal, onProgress, onEngine });
      say({ type: "done", id, result });
    } catch (error) {
      const { message } = error as Error;
      say({ type: "failed", id, permanent: isPermanent(error), message: message.slice(0, 4096) });
    } finally {
      running.delete(id);
    }
  }

  process.on("message", (message) => {
    const order = orderSchema.parse(message); // the parent is trusted: nonsense from it is a bug, and ends us
    if (order.type === "cancel") running.get(order.id)?.abort();
    else void run(order.id, order.request);
  });
  process.on("disconnect", () => process.exit(0));
  process.on("SIGINT", () => {});
  setInterval(() => say({ type: "beat", memory: process.memoryUsage.rss() }), BEAT);
  new Worker(new URL("watchdog.ts", import.meta.url), { workerData: { parent: process.ppid } }).unref();
}

/** What the machine says when it is short of space, memory, files or a device for a while. */
const SHORTAGE = new RegExp(
  [
    "\\b(ENOSPC|EDQUOT|EFBIG|EIO|EMFILE|ENFILE|EAGAIN|ENOMEM)\\b",
    "bad_alloc|out of memory|failed to allocate|allocation failed|cannot allocate memory",
    "cuda|cublas",
  ].join("|"),
  "i",
);

/** Errors of ours say it; of others we expect no better a second time, unless the machine was short of something. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof FlockError) return error instanceof PermanentError;
  return !SHORTAGE.test(String((error as Error)?.message));
}
