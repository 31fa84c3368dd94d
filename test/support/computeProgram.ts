import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { serveCompute } from "../../workers/compute/serve.ts";

/** A compute program for tests: what it does at `train` is what the field `data` says; `out` receives a note. */
async function act(what: string, out: string, signal: AbortSignal, onProgress: (done: number, total: number) => void) {
  if (what === "crash") process.kill(process.pid, "SIGKILL");
  if (what === "throw") setImmediate(() => Promise.reject(new Error("the device caught fire")));
  if (what === "throw" || what === "hang") await sleep(600_000, undefined, { signal });
  if (what === "block") for (;;);
  if (what === "nonsense") process.send?.({ type: "gossip" });
  if (what === "permanent") throw new PermanentError("This will never work.");
  if (what === "passing") throw new PassingError("This may work later.");
  if (what === "environment") writeFileSync(out, JSON.stringify(process.env));
  if (what === "slow") await sleep(100);
  if (what === "pid") writeFileSync(out, String(process.pid));
  onProgress(1, 2);
  onProgress(2, 2);
}

if (process.connected) {
  const digest = `0x${"ab".repeat(32)}` as const;
  const short = `0x${"cd".repeat(20)}` as const;
  serveCompute({
    aggregate: async () => ({ digest: short }),
    validate: async ({ proposals }) => ({ sha256: digest, head: short, scores: proposals.map(() => 0) }),
    train: async ({ data, out }, { signal, onProgress, onEngine }) => {
      onEngine({ device: data });
      await act(data, out, signal, onProgress);
      return {
        sha256: digest,
        norm: 1,
        losses: { first: 2, last: 1 },
        steps: 2,
        heldOut: null,
        graph: "g",
        engine: { device: data },
      };
    },
  });
}
