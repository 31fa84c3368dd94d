import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Redis } from "ioredis";
import { openQueueBackend } from "../../../workers/queue/backend.ts";
import { connectQueue } from "../../../workers/queue/connect.ts";
import type { QueueBackend, QueueLink } from "../../../workers/queue/types.ts";
import type { Duty } from "../../../workers/scheduler/duties.ts";
import { type DutyQueues, openReconciler } from "../../../workers/scheduler/reconcile.ts";
import { requires } from "../../support/requires.ts";
import { until } from "../../support/until.ts";

const train: Duty = { kind: "train", id: "train-1-2-0xabc", turn: 0 };
const settle: Duty = {
  kind: "send",
  id: "settle-1-2-0xabc",
  turn: 0.5,
  intent: { kind: "settle", task: 1n, round: 2 },
};

describe("the reconciler", () => {
  let dir: string;
  let backend: QueueBackend;
  const links: QueueLink[] = [];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "flock-reconcile-"));
    backend = await openQueueBackend({ dir });
  });
  after(async () => {
    for (const link of links) await link.close();
    await backend.close();
    await rm(dir, { recursive: true });
  });

  function open(namespace: string): { link: QueueLink; queues: DutyQueues } {
    const link = connectQueue(backend.connection, { namespace });
    links.push(link);
    return {
      link,
      queues: { train: link.queue("train"), validate: link.queue("validate"), send: link.queue("send") },
    };
  }

  test("makes one job for a duty however often it looks", async () => {
    const { queues } = open("one");
    const reconcile = openReconciler(queues);
    for (let now = 0; now < 3; now++) await reconcile([train], { round: 2, stagger: 10, now });
    await openReconciler(queues)([train], { round: 2, stagger: 10, now: 0 }); // after a restart
    assert.equal((await queues.train.counts()).waiting, 1);
  });

  test("lets a duty wait for its turn", async () => {
    const { queues } = open("turn");
    const reconcile = openReconciler(queues);
    const statuses: string[] = [];
    for (const now of [100, 104.9, 105]) {
      statuses.push(...(await reconcile([settle], { round: 2, stagger: 10, now })).map(({ status }) => status));
    }
    assert.deepEqual(statuses, ["waiting for its turn", "waiting for its turn", "waiting"]);
  });

  test("begins a new turn when a duty was not due for a while", async () => {
    const { queues } = open("anew");
    const reconcile = openReconciler(queues);
    await reconcile([settle], { round: 2, stagger: 10, now: 0 });
    await reconcile([], { round: 2, stagger: 10, now: 1 });
    const [status] = await reconcile([settle], { round: 2, stagger: 10, now: 6 });
    assert.equal(status?.status, "waiting for its turn");
  });

  test("runs a completed job again when its duty stays due", async () => {
    const { link, queues } = open("again");
    const runs: string[] = [];
    link.worker("train", async (job) => {
      runs.push(job.id);
      assert.deepEqual(job.data, { round: 2 });
      return { skipped: "the chain was behind" };
    });
    const reconcile = openReconciler(queues);
    const look = async (now: number) => (await reconcile([train], { round: 2, stagger: 10, now }))[0]?.status;
    await look(0);
    await until(async () => (await queues.train.status(train.id)) === "completed");
    assert.equal(await look(5), "completed");
    assert.notEqual(await look(31), "completed");
    await until(() => runs.length === 2);
    await until(async () => (await queues.train.status(train.id)) === "completed");
    assert.equal(await look(36), "completed");
  });

  test("hands the sender its intent", async () => {
    const { link, queues } = open("intent");
    const seen: unknown[] = [];
    link.worker("send", async (job) => {
      seen.push(job.data);
      return null;
    });
    await openReconciler(queues)([{ ...settle, turn: 0 }], { round: 2, stagger: 10, now: 0 });
    await until(() => seen.length === 1);
    assert.deepEqual(seen, [{ kind: "settle", task: "1", round: 2 }]);
  });

  test("makes every job again when Redis has forgotten them", { skip: requires("redis-server") }, async () => {
    const { queues } = open("flushed");
    const reconcile = openReconciler(queues);
    const look = () => reconcile([train], { round: 2, stagger: 0, now: 0 });
    await look();
    assert.ok("redis" in backend.connection);
    const redis = new Redis(backend.connection.redis.replace(/^unix:\/\//, ""));
    await redis.flushall();
    redis.disconnect();
    assert.equal(await queues.train.status(train.id), "absent");
    await look();
    assert.equal(await queues.train.status(train.id), "waiting");
  });
});
