import { exitOf } from "./exit.ts";
import { flockctl } from "./program.ts";
import { ownTerminal } from "./terminal.ts";

const terminal = ownTerminal();
try {
  await flockctl(terminal).parseAsync(process.argv);
} catch (error) {
  const { code, message } = exitOf(error);
  if (message !== "") terminal.tell(`${message}\n`);
  process.exitCode = code;
}
