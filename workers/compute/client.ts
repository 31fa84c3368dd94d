import type { Engine } from "../../learning/validate/report.ts";
import { PassingError } from "../../protocol/errors.ts";
import { exchange, type WorkLimits } from "./exchange.ts";
import { type ComputeProcess, ownProgram, startProcess, stopProcess } from "./process.ts";
import type { ComputeKind, RequestOf, ResultOf } from "./protocol.ts";

/** The recipe and the machine: what every request says alike. */
export type ComputeSettings = Pick<
  RequestOf<"train">,
  "manifest" | "model" | "device" | "gpu" | "threads" | "spinning" | "weights" | "graphs" | "memory"
>;
/** What one request says by itself. */
export type Work<K extends ComputeKind> = Omit<RequestOf<K>, keyof ComputeSettings>;

export type ComputeOptions = {
  settings: ComputeSettings;
  program?: string | undefined;
  limits: WorkLimits;
  onLine?: ((line: string) => void) | undefined;
};

export type WorkOptions = {
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** Told what computes, once it is known. */
  onEngine?: ((engine: Engine) => void) | undefined;
};

export type Compute = {
  /**
   * Does one piece of work in the compute process; a second one waits for its turn, for there is one device.
   * @throws PassingError when the process ended, was silent or took too long (it is started anew for the next try),
   * PermanentError when doing it again would give the same error, the signal's reason when it was aborted.
   */
  run<K extends ComputeKind>(kind: K, work: Omit<Work<K>, "kind">, options?: WorkOptions): Promise<ResultOf<K>>;
  close(): Promise<void>;
};

/** The client of one compute process, which it starts when there is work and starts again when it has ended. */
export function openCompute({ settings, program = ownProgram, limits, onLine = () => {} }: ComputeOptions): Compute {
  let running: ComputeProcess | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let count = 0;
  let closed = false;

  function processNow(): ComputeProcess {
    if (closed) throw new PassingError("The compute process is closed: this worker is shutting down.");
    if (running !== undefined) return running;
    const started = startProcess(program, onLine);
    const forget = () => {
      if (running === started) running = undefined;
    };
    started.child.once("exit", forget).once("error", forget);
    running = started;
    return started;
  }

  return {
    run(kind, work, { signal, onProgress, onEngine } = {}) {
      const request = { ...settings, ...work, kind } as unknown as RequestOf<typeof kind>;
      const mine = turn.then(() => {
        signal?.throwIfAborted();
        return exchange(processNow(), request, { ...limits, id: ++count, signal, onProgress, onEngine });
      });
      turn = mine.catch(() => {});
      return mine;
    },
    async close() {
      closed = true;
      if (running !== undefined) await stopProcess(running.child);
    },
  };
}
