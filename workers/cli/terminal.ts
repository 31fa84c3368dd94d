import { createInterface } from "node:readline/promises";
import type { Terminal } from "./report.ts";

/** The terminal, or the pipe, that this process was started in. */
export function ownTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    write: (text) => void stdout.write(text),
    isTerminal: stdout.isTTY === true,
    ask:
      stdin.isTTY === true
        ? async (question) => {
            const lines = createInterface({ input: stdin, output: stderr });
            try {
              return await lines.question(question);
            } finally {
              lines.close();
            }
          }
        : undefined,
  };
}
