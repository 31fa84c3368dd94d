import { writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { quantiseFolder } from "../../workers/cli/quantisedFolder.ts";

/**
 * Quantises the base of one folder into another, and tells the most memory that it took, in bytes. When so many percent are done it kills itself,
 * fills the disk, or says so and stops where it is.
 */
const [model, out, then, percent] = process.argv.slice(2) as [string, string, ("kill" | "fill" | "stop")?, string?];
let isDone = then === undefined;
const onProgress = (done: number, total: number) => {
  if (isDone || (100 * done) / total < Number(percent)) return;
  isDone = true;
  if (then === "kill") process.kill(process.pid, "SIGKILL");
  else if (then === "fill") fill();
  else {
    writeSync(1, "stopped\n");
    process.kill(process.pid, "SIGSTOP");
  }
};

function fill(): void {
  for (const size of [1 << 16, 1 << 12]) {
    try {
      for (let i = 0; ; i++) writeFileSync(join(out, "..", `other-${size}-${i}`), new Uint8Array(size));
    } catch {}
  }
}

await quantiseFolder({ model, out, signal: new AbortController().signal, onProgress });
console.log(process.resourceUsage().maxRSS * 1024);
