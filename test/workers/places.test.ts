import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { configSchema } from "../../workers/config.ts";
import { serveStore } from "../../workers/store/serve.ts";
import { openStore } from "../../workers/store/store.ts";
import { runWorker } from "../../workers/worker.ts";

let folder: string;
let file: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-places-"));
  file = join(folder, "file");
  await writeFile(file, "");
});
after(() => rm(folder, { recursive: true }));

async function refuses(doing: Promise<unknown>, message: string): Promise<void> {
  await assert.rejects(doing, (error) => {
    assert.ok(error instanceof PermanentError, String(error));
    assert.equal(error.exitCode, ExitCode.usage);
    assert.equal(error.message, message);
    return true;
  });
}

test("error: the work folder is a file", async () => {
  const config = configSchema.parse({
    rpcUrls: ["http://127.0.0.1:9"],
    chainId: 1,
    deployment: file,
    task: 1,
    operator: `0x${"a1".repeat(20)}`,
    key: { env: "KEY" },
    manifest: file,
    model: folder,
    data: { public: folder },
    work: file,
    store: { allowLoopback: true },
  });
  await refuses(
    runWorker(config, { roles: ["scheduler"], signal: new AbortController().signal }),
    `The work folder ${file} cannot be written (EEXIST): name another as "work".`,
  );
});

test("error: the store's folder is below a file", async () => {
  const dir = join(file, "store");
  await refuses(openStore(dir), `The store's folder ${dir} cannot be written (ENOTDIR): name another as "store.dir".`);
});

test("error: the store's port is taken", async () => {
  const store = await openStore(join(folder, "store"));
  const server = await serveStore(store);
  const port = Number(new URL(server.url).port);
  await refuses(
    serveStore(store, { port }),
    `The store cannot be served at 127.0.0.1:${port} (EADDRINUSE): name another store.host or store.port.`,
  );
  await server.close();
});
