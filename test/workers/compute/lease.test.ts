import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readGpus } from "../../../learning/train/gpus.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { openCompute } from "../../../workers/compute/client.ts";
import { availableTo, leaseNames, openDevices } from "../../../workers/compute/device.ts";
import { leaseDevice } from "../../../workers/compute/lease.ts";
import { tinyTraining } from "../../support/operatorRoom.ts";
import { makeTinyTask } from "../../support/tinyTask.ts";

const holder = fileURLToPath(new URL("../../support/leaseHolder.ts", import.meta.url));
/** Names of devices that only this process's children know: the processor's stand for GPUs, which few machines have. */
const cpu = (number: number) => `cpu:${number} of ${process.pid}`;
const linux = process.platform === "linux" ? false : "leases are Linux's, where CUDA is";

describe("the lease of a device (processors stand for GPUs)", { skip: linux }, () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  /** A process that asks for devices; resolves with the name of the one it got. */
  async function hold(...names: string[]): Promise<{ name: string; child: ChildProcess }> {
    const child = spawn(process.execPath, [holder, ...names], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    const [name] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return { name, child };
  }

  test("is had by one process at a time; the second takes the next device", async () => {
    assert.equal((await hold(cpu(0), cpu(1))).name, cpu(0));
    assert.equal((await hold(cpu(0), cpu(1))).name, cpu(1));
  });

  test("is waited for while all are taken, and free at once when its holder is killed", async () => {
    const { child } = await hold(cpu(0));
    const waits = Promise.withResolvers<void>();
    const got = leaseDevice([cpu(0)], { onWait: waits.resolve });
    await waits.promise;
    assert.equal(await Promise.race([got, "still waiting"]), "still waiting");
    child.kill("SIGKILL");
    const lease = await got;
    assert.equal(lease.name, cpu(0));
    await lease.giveBack();
  });

  test("is not waited for any longer than somebody wants it", async () => {
    await hold(cpu(0));
    const abort = new AbortController();
    const waiting = leaseDevice([cpu(0)], { signal: abort.signal, onWait: () => abort.abort(new Error("given up")) });
    await assert.rejects(waiting, /given up/);
  });

  test("can be taken again by whoever gave it back", async () => {
    for (const _ of [1, 2]) await (await leaseDevice([cpu(0)])).giveBack();
  });
});

describe("work on a GPU", { skip: linux }, () => {
  test("waits in the compute process for the GPU that another process has, and is refused where there is none", async (t) => {
    if ((await readGpus()).length > 0) return t.skip("needs a machine without a GPU, to see the refusal");
    const folder = await mkdtemp(join(tmpdir(), "flock-lease-"));
    const task = await makeTinyTask(folder);
    const lines: string[] = [];
    const compute = openCompute({
      settings: { manifest: task.manifestFile, model: task.model, device: "cuda", gpu: [7], threads: 1 },
      limits: { silence: 120, limit: 600 },
      onLine: (line) => {
        lines.push(line);
        if (/waits/.test(line)) void lease.giveBack();
      },
    });
    const lease = await leaseDevice([...(await leaseNames([7])).keys()]);
    try {
      const out = join(folder, "zero");
      await compute.run("aggregate", { base: null, updates: [], published: 0, out });
      const work = { head: out, data: task.trainData, training: tinyTraining, seed: "a", out: join(folder, "a") };
      await assert.rejects(compute.run("train", work), PermanentError);
      assert.ok(lines.some((line) => /waits for GPU 7/.test(line)));
    } finally {
      await compute.close();
      await rm(folder, { recursive: true });
    }
  });

  test("may take as much memory as the smallest of its GPUs has, and as the machine where no driver tells", async () => {
    const gpus = [16, 80, 8].map((gibibytes, number) => {
      return { number, id: `GPU-${number}`, name: "some", driver: "1", memory: gibibytes * 1024 };
    });
    const available = (gpu: number[]) => availableTo({ device: "cuda", gpu, memory: 5 }, gpus);
    assert.equal(await available([0, 1]), 16 * 2 ** 30);
    assert.equal(await available([1]), 80 * 2 ** 30);
    assert.equal(await available([7]), 5 * 2 ** 20);
    assert.equal(await availableTo({ device: "cpu", memory: 5 }, gpus), 5 * 2 ** 20);
  });

  test("is not kept from the processor, which is shared", async () => {
    const devices = openDevices();
    const both = await devices.use({ device: "cpu", threads: 1 }, (computing, engine) =>
      devices.use({ device: "cpu", threads: 2, spinning: true }, async (other) => [computing, other, engine.provider]),
    );
    assert.deepEqual(both, [
      { device: "cpu", threads: 1, spinning: false, weights: "packed" },
      { device: "cpu", threads: 2, spinning: true, weights: "packed" },
      "CPUExecutionProvider",
    ]);
  });
});
