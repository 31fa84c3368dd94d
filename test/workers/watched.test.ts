import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { probeDevice } from "../../learning/train/device.ts";
import { openLog } from "../../workers/log.ts";
import { openStatus, statusFileOf } from "../../workers/status.ts";
import { telling } from "../../workers/watched.ts";

describe("what is told of a job", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-watched-"));
  });
  after(() => rm(folder, { recursive: true }));

  test("says in the status file and the log what computes it, and how far it is", async () => {
    const roles = ["scheduler"];
    const file = join(folder, "worker.log");
    const log = openLog({ name: "worker", destination: file });
    const status = openStatus(folder, {
      ...{ pid: process.pid, startedAt: "now", operator: "0x", task: "1", roles, queue: "redis", store: null },
      ...{ seen: null, duties: [], work: null, engine: null, lastError: null },
    });
    const told: unknown[] = [];
    const progress = async (value: unknown) => void told.push(value);
    const job = { id: "train-1", attempt: 1, data: {}, progress } as unknown as Parameters<typeof telling>[1];
    const { onEngine, onProgress } = telling({ log, status }, job, new AbortController().signal);
    const engine = { ...(await probeDevice({ device: "cpu" })), threads: 1 };
    onEngine?.(engine);
    onProgress?.(3, 3);
    await status.flush();
    const written = JSON.parse(await readFile(statusFileOf(folder, roles), "utf8"));
    assert.deepEqual(written.engine, engine);
    assert.deepEqual(written.work, { id: "train-1", done: 3, total: 3 });
    assert.deepEqual(told, [{ done: 3, total: 3 }]);
    const lines = (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(lines.find(({ msg }) => msg === "computes")?.engine, engine);
  });
});
