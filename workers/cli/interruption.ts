import { ExitCode } from "../../protocol/errors.ts";

export type Interruption = {
  /** Aborts at the first SIGINT or SIGTERM. */
  signal: AbortSignal;
  /** Which of them it was. */
  by(): NodeJS.Signals | undefined;
  [Symbol.dispose](): void;
};

/** A launcher between the terminal and us may pass Ctrl-C on, which then arrives twice. */
const SAME_MS = 1000;

/** Turns the first Ctrl-C into an orderly end; a later one ends the process at once. */
export function interruption(): Interruption {
  const controller = new AbortController();
  let first: { name: NodeJS.Signals; at: number } | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    if (first === undefined) {
      first = { name, at: performance.now() };
      controller.abort();
    } else if (performance.now() - first.at > SAME_MS) process.exit(ExitCode.interrupted);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    by: () => first?.name,
    [Symbol.dispose]() {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
