import type { ChildProcess } from "node:child_process";
import type { Engine } from "../../learning/validate/report.ts";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { type ComputeProcess, stopProcess } from "./process.ts";
import {
  type Answer,
  answerSchema,
  type ComputeKind,
  type Order,
  type RequestOf,
  type ResultOf,
  resultSchemas,
} from "./protocol.ts";

export type WorkLimits = {
  silence: number; // seconds without a sign of life before the process is stopped
  limit: number; // seconds that one piece of work may take
  memory?: number | undefined; // MiB of resident memory before the process is stopped
};

export type ExchangeOptions = WorkLimits & {
  id: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
  onEngine?: ((engine: Engine) => void) | undefined;
};

const CANCEL_GRACE = 10_000; // milliseconds to heed a cancellation before the process is stopped

/** One request to a compute process and its answer. What goes wrong is told by the error's class, see `Compute.run`. */
export function exchange<K extends ComputeKind>(
  { child, program, lastWords }: ComputeProcess,
  request: RequestOf<K>,
  { id, signal, onProgress, onEngine, silence, limit, memory }: ExchangeOptions,
): Promise<ResultOf<K>> {
  const kind = request.kind as K;
  const started = performance.now();
  let heard = started;
  let grace: NodeJS.Timeout | undefined;

  return new Promise((resolve, reject) => {
    function settle(act: () => void) {
      clearInterval(watch);
      clearTimeout(grace);
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      signal?.removeEventListener("abort", onAbort);
      act();
    }
    const stop = (error: Error) => settle(() => void stopProcess(child).then(() => reject(error)));
    const stopFor = (why: string) => stop(new PassingError(`The compute process ${why} at "${kind}" and was stopped.`));

    function onMessage(message: unknown) {
      heard = performance.now();
      const parsed = answerSchema.safeParse(message);
      if (!parsed.success) return stop(nonsense(program, kind));
      const answer = parsed.data;
      if (answer.type === "beat") {
        if (memory !== undefined && answer.memory > memory * 2 ** 20) stopFor(`used over ${memory} MiB`);
        return;
      }
      if (answer.id !== id) return; // of work that was given up
      if (answer.type === "engine") return onEngine?.(answer.engine);
      if (answer.type === "progress") return onProgress?.(answer.done, answer.total);
      if (signal?.aborted) return settle(() => reject(signal.reason));
      if (answer.type === "failed") return settle(() => reject(failure(answer)));
      const result = resultSchemas[kind].safeParse(answer.result);
      if (!result.success) return stop(nonsense(program, kind));
      settle(() => resolve(result.data as ResultOf<K>));
    }

    function onExit(code: number | null, killer: NodeJS.Signals | null) {
      const words = lastWords();
      const how = `${killer ?? `exit code ${code}`}${words === "" ? "" : `; its last words: ${words}`}`;
      const ended = new PassingError(`The compute process ended at "${kind}" (${how}); the next try starts it again.`);
      settle(() => reject(signal?.aborted ? signal.reason : ended));
    }

    function onError(cause: Error) {
      const message = `The compute program ${program} cannot be started or spoken to: ${cause.message}.`;
      settle(() => reject(new PassingError(message, { cause })));
    }

    function onAbort() {
      tell(child, { type: "cancel", id });
      grace = setTimeout(() => stop(signal?.reason), CANCEL_GRACE);
    }

    const watch = setInterval(() => {
      const now = performance.now();
      if (now - heard > silence * 1000) stopFor(`was silent for ${silence} s`);
      else if (now - started > limit * 1000) stopFor(`took over ${limit} s`);
    }, 250);

    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    signal?.addEventListener("abort", onAbort);
    tell(child, { type: "run", id, request });
  });
}

function tell(child: ChildProcess, order: Order): void {
  if (child.connected) child.send(order, () => {}); // a broken channel shows itself as the process's exit
}

function failure({ permanent, message }: Extract<Answer, { type: "failed" }>): Error {
  return permanent ? new PermanentError(message) : new PassingError(message);
}

function nonsense(program: string, kind: ComputeKind): Error {
  return new PermanentError(
    `The compute program ${program} answered "${kind}" with something that is not of the compute protocol; ` +
      "name a program that speaks it.",
  );
}
