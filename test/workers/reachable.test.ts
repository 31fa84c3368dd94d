import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { configSchema } from "../../workers/config.ts";
import { runWorker } from "../../workers/worker.ts";

test("error: a store that others could not reach", async () => {
  const config = configSchema.parse({
    rpcUrls: ["http://127.0.0.1:1"],
    chainId: 1,
    deployment: "deployment.json",
    task: 1,
    operator: `0x${"11".repeat(20)}`,
    key: { env: "NO_KEY" },
    manifest: "manifest.json",
    model: "model",
    data: { public: "public" },
  });
  const worker = runWorker(config, { roles: ["scheduler"], signal: new AbortController().signal });
  await assert.rejects(
    worker,
    (error) => error instanceof PermanentError && error.exitCode === ExitCode.usage && /store\.url/.test(error.message),
  );
});
