import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Terminal } from "./report.ts";

/** The terminal, or the pipe, that this process was started in. */
export function ownTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  if (!stdout.listeners("error").includes(endWithReader)) stdout.on("error", endWithReader);
  if (!stderr.listeners("error").includes(goOnUnheard)) stderr.on("error", goOnUnheard);
  return {
    write: (text) => void stdout.write(text),
    tell: (text) => void stderr.write(text),
    isTerminal: stdout.isTTY === true,
    ask: stdin.isTTY === true ? ask : undefined,
  };
}

/** Whoever read our answer has seen enough (`| head -1`): that is the end, and no error. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit();
}

/** Messages that nobody hears are no reason to stop a worker. */
function goOnUnheard(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

async function ask(question: string, { hidden = false }: { hidden?: boolean | undefined } = {}): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: hidden ? nowhere : stderr, terminal: true });
  const interrupted = new AbortController();
  lines.once("SIGINT", () => interrupted.abort());
  try {
    return await lines.question("", { signal: interrupted.signal });
  } finally {
    lines.close();
    if (hidden) stderr.write("\n");
  }
}
