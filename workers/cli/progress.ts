import { SingleBar } from "cli-progress";
import type { Terminal } from "./report.ts";

export type ProgressBar = { update(done: number): void; [Symbol.dispose](): void };

/** Shows how much of a long work is done: a bar where a person reads, and in a pipe a line for each tenth. */
export function progressBar(terminal: Terminal, label: string, total: number): ProgressBar {
  if (!terminal.isTerminal) {
    let told = 0;
    return {
      update(done) {
        const tenths = Math.floor((10 * done) / total);
        if (tenths > told) terminal.tell(`${label}: ${10 * tenths} %\n`);
        told = Math.max(told, tenths);
      },
      [Symbol.dispose]() {},
    };
  }
  const bar = new SingleBar({
    format: `${label} {bar} {percentage} % | {eta_formatted} left`,
    ...{ stream: process.stderr, hideCursor: true, clearOnComplete: true, etaBuffer: 50 },
  });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), [Symbol.dispose]: () => bar.stop() };
}
