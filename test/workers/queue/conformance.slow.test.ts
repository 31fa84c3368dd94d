import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { openQueueBackend } from "../../../workers/queue/backend.ts";
import { connectQueue } from "../../../workers/queue/connect.ts";
import type { JobEvent, QueueBackend, QueueLink } from "../../../workers/queue/types.ts";
import { requires } from "../../support/requires.ts";
import { until } from "../../support/until.ts";

const QUICK = { lockDurationMs: 2_000, stalledIntervalMs: 1_000 };
/** Without a PATH no Redis is found. */
const SERVERS = { redis: process.env, pglite: { PATH: "" } };

for (const kind of ["redis", "pglite"] as const) {
  describe(`queue on ${kind}`, { skip: kind === "redis" && requires("redis-server") }, () => {
    let dir: string;
    let backend: QueueBackend;
    let links: QueueLink[] = [];
    let count = 0;

    const open = () => openQueueBackend({ dir, env: { PATH: SERVERS[kind].PATH } });
    /** A link of its own namespace for each test. */
    const link = (namespace = `test-${++count}`) => {
      const opened = connectQueue(backend.connection, { namespace });
      links.push(opened);
      return opened;
    };
    const finished = async (of: QueueLink, id: string) =>
      until(async () => {
        const result = await of.queue("duties").result(id);
        return (result.status === "completed" || result.status === "failed") && result;
      });

    before(async () => {
      dir = await mkdtemp(join(tmpdir(), "flock-queue-test-"));
      backend = await open();
    });
    after(async () => {
      for (const opened of links) await opened.close();
      links = [];
      await backend.close();
      await rm(dir, { recursive: true, force: true });
    });

    test("starts the server that was asked for", () => {
      assert.equal(backend.kind, kind);
      assert.equal(typeof backend.pid(), "number");
    });

    test("runs a job and keeps its result", async () => {
      const own = link();
      own.worker("duties", async (job) => ({ task: job.data.task ?? null, attempt: job.attempt }));
      await own.queue("duties").ensure({ id: "train-1-1", kind: "train", data: { task: "1" } });
      assert.deepEqual(await finished(own, "train-1-1"), { status: "completed", value: { task: "1", attempt: 1 } });
    });

    test("starts a job at once although the worker has slept", async () => {
      const own = link();
      const worker = own.worker("duties", async () => Date.now());
      await worker.ready();
      await sleep(1_500);
      const added = Date.now();
      await own.queue("duties").ensure({ id: "train-1-1", kind: "train", data: {} });
      const result = await finished(own, "train-1-1");
      assert.ok(result.status === "completed");
      assert.ok((result.value as number) - added < 1_000, `it took ${(result.value as number) - added} ms`);
    });

    test("runs the same id once, however often and from wherever it is added", async () => {
      const own = link("test-twice");
      const other = link("test-twice");
      let runs = 0;
      own.worker("duties", async () => ++runs, { concurrency: 4 });
      const job = { id: "train-1-1", kind: "train", data: {} };
      await Promise.all([own, other, own, other].map((from) => from.queue("duties").ensure(job)));
      await finished(own, job.id);
      assert.equal(await other.queue("duties").ensure(job), "completed");
      assert.equal(runs, 1);
    });

    test("runs a completed job again when the chain says it is still due", async () => {
      const own = link();
      let runs = 0;
      own.worker("duties", async () => ++runs);
      const job = { id: "send-1-1", kind: "send", data: {} };
      await own.queue("duties").ensure(job);
      await finished(own, job.id);
      await own.queue("duties").ensure(job, { again: true });
      await until(() => runs === 2);
    });

    test("tries again after a passing error", async () => {
      const own = link();
      let runs = 0;
      own.worker("duties", async () => {
        runs += 1;
        if (runs < 3) throw new PassingError("The server is away.");
        return runs;
      });
      await own.queue("duties").ensure({ id: "train-1-1", kind: "train", data: {} });
      assert.deepEqual(await finished(own, "train-1-1"), { status: "completed", value: 3 });
    });

    test("runs a job with a permanent error once and says why", async () => {
      const own = link();
      let runs = 0;
      own.worker("duties", async () => {
        runs += 1;
        throw new PermanentError("The manifest is wrong.");
      });
      const job = { id: "train-1-1", kind: "train", data: {} };
      await own.queue("duties").ensure(job);
      assert.deepEqual(await finished(own, job.id), {
        status: "failed",
        message: "The manifest is wrong.",
        permanent: true,
      });
      assert.equal(await own.queue("duties").ensure(job), "failed", "it stays failed");
      await sleep(300);
      assert.equal(runs, 1);
    });

    test("finishes elsewhere the job of a worker process that was killed", async () => {
      const own = link();
      const taken = join(dir, "taken");
      writeFileSync(taken, "");
      const namespace = `test-${count}`;
      const script = fileURLToPath(new URL("../../support/queueWorker.ts", import.meta.url));
      const doomed = spawn(process.execPath, [script, JSON.stringify(backend.connection), namespace, taken]);
      await own.queue("duties").ensure({ id: "train-1-1", kind: "train", data: {} });
      await until(() => readFileSync(taken, "utf8") !== "");
      doomed.kill("SIGKILL");
      await once(doomed, "exit");
      own.worker("duties", async () => "done elsewhere", QUICK);
      assert.deepEqual(await finished(own, "train-1-1"), { status: "completed", value: "done elsewhere" });
    });

    test("lets a job end before it closes, and takes no other", async () => {
      const own = link();
      const started: string[] = [];
      const ended: string[] = [];
      const worker = own.worker("duties", async (job) => {
        started.push(job.id);
        await sleep(400);
        ended.push(job.id);
        return null;
      });
      await own.queue("duties").ensure({ id: "train-1-1", kind: "train", data: {} });
      await own.queue("duties").ensure({ id: "train-1-2", kind: "train", data: {} });
      await until(() => started.length === 1);
      await worker.close();
      assert.deepEqual(ended, ["train-1-1"]);
      assert.equal(await own.queue("duties").status("train-1-2"), "waiting");
    });

    test("stops a job that does not end in time and leaves it to others", async () => {
      const own = link();
      let reason: unknown;
      const worker = own.worker("duties", async (_job, signal) => {
        await once(signal, "abort");
        reason = signal.reason;
        throw new PermanentError("What a stopped job says does not count.");
      });
      await own.queue("duties").ensure({ id: "train-1-1", kind: "train", data: {} });
      await until(async () => (await own.queue("duties").status("train-1-1")) === "active");
      await worker.close({ graceMs: 100 });
      assert.equal(reason, "the worker closes");
      assert.equal(await own.queue("duties").status("train-1-1"), "delayed");
    });

    test("refuses a payload that is too large and an id that cannot be one", async () => {
      const duties = link().queue("duties");
      const refused = (id: string, data: Record<string, string>) => duties.ensure({ id, kind: "train", data });
      await assert.rejects(refused("train-1", { blob: "x".repeat(5_000) }), /carries 5011 bytes, more than 4096/);
      await assert.rejects(refused("train:1", {}), PermanentError);
      await assert.rejects(refused("17", {}), PermanentError);
      assert.equal(await duties.status("train-1"), "absent");
    });

    test("keeps the queues of two operators apart", async () => {
      const own = link();
      const other = link();
      await other.queue("duties").ensure({ id: "train-1-1", kind: "train", data: {} });
      assert.equal(await own.queue("duties").status("train-1-1"), "absent");
      assert.equal((await other.queue("duties").counts()).waiting, 1);
    });

    test("tells what happens to jobs of other connections", async () => {
      const namespace = `test-${++count}`;
      const own = link(namespace);
      const seen: JobEvent[] = [];
      const events = own.events("duties");
      await events.ready();
      await sleep(200);
      events.listen((event) => seen.push(event));
      link(namespace).worker("duties", async (job) => {
        await job.progress({ step: 1 });
        if (job.kind === "fail") throw new PermanentError("No.");
        return { loss: 1.5 };
      });
      await own.queue("duties").ensure({ id: "train-1-1", kind: "train", data: {} });
      await own.queue("duties").ensure({ id: "fail-1-1", kind: "fail", data: {} });
      await until(() => seen.length === 4);
      assert.deepEqual(
        seen.filter((event) => event.event !== "progress"),
        [
          { event: "completed", id: "train-1-1", value: { loss: 1.5 } },
          { event: "failed", id: "fail-1-1", message: "No.", permanent: true },
        ],
      );
      assert.deepEqual(seen[0], { event: "progress", id: "train-1-1", value: { step: 1 } });
    });

    test("does every job although the server is killed in between", async () => {
      const own = link();
      const done = new Set<string>();
      own.worker(
        "duties",
        async (job) => {
          await sleep(20);
          done.add(job.id);
          return null;
        },
        { concurrency: 3, ...QUICK },
      );
      const ids = Array.from({ length: 40 }, (_, index) => `train-1-${index}`);
      for (const id of ids) await own.queue("duties").ensure({ id, kind: "train", data: {} });
      await until(() => done.size >= 5);
      process.kill(backend.pid() as number, "SIGKILL");
      await until(() => done.size === ids.length);
    });

    test("closes while the server is away, and opens before it is back", async () => {
      for (const pause of [0, 100, 200]) {
        const namespace = `test-${++count}`;
        const own = connectQueue(backend.connection, { namespace });
        const worker = own.worker("duties", async () => null);
        const events = own.events("duties");
        await Promise.all([worker.ready(), events.ready()]);
        await own.queue("duties").ensure({ id: "train-1-1", kind: "train", data: {} });
        await finished(own, "train-1-1");
        process.kill(backend.pid() as number, "SIGKILL");
        await sleep(pause);
        await own.close();
        const next = link(namespace);
        next.worker("duties", async () => "back again");
        const job = { id: "train-1-2", kind: "train", data: {} };
        await until(async () => {
          try {
            return (await next.queue("duties").ensure(job)) === "completed";
          } catch (error) {
            assert.ok(error instanceof PassingError, String(error));
            return false;
          }
        });
      }
    });

    test("finds its jobs again after the server was stopped", async () => {
      const namespace = `test-${++count}`;
      await link(namespace)
        .queue("duties")
        .ensure({ id: "train-1-1", kind: "train", data: { task: "7" } });
      for (const opened of links.splice(0)) await opened.close();
      await backend.close();
      backend = await open();
      const own = link(namespace);
      own.worker("duties", async (job) => job.data);
      assert.deepEqual(await finished(own, "train-1-1"), { status: "completed", value: { task: "7" } });
    });
  });
}
