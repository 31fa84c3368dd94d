import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Terminal } from "./report.ts";

/** The terminal, or the pipe, that this process was started in. */
export function ownTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    write: (text) => void stdout.write(text),
    tell: (text) => void stderr.write(text),
    isTerminal: stdout.isTTY === true,
    ask: stdin.isTTY === true ? ask : undefined,
  };
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
