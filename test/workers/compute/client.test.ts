import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { type Compute, openCompute } from "../../../workers/compute/client.ts";
import type { WorkLimits } from "../../../workers/compute/exchange.ts";
import { tinyTraining } from "../../support/operatorRoom.ts";

const program = fileURLToPath(new URL("../../support/computeProgram.ts", import.meta.url));
const settings = { manifest: "m", model: "b", device: "cpu", threads: 1 } as const;
const work = (data: string, out = "o") => ({
  head: "h",
  data,
  training: tinyTraining,
  seed: "s",
  out,
});

describe("the compute client", () => {
  let folder: string;
  const open: Compute[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-compute-"));
  });
  after(async () => {
    await Promise.all(open.map((compute) => compute.close()));
    await rm(folder, { recursive: true });
  });
  function start(limits: Partial<WorkLimits> = {}): Compute {
    const compute = openCompute({ settings, program, limits: { silence: 60, limit: 60, ...limits } });
    open.push(compute);
    return compute;
  }

  test("returns the result and reports what computes, and progress", async () => {
    const seen: (number | object)[] = [];
    const see = (what: number | object) => void seen.push(what);
    const result = await start().run("train", work("fine"), { onProgress: see, onEngine: see });
    assert.equal(result.losses.last, 1);
    assert.deepEqual(seen, [{ device: "fine" }, 1, 2]);
  });

  test("does one piece of work after the other in one process", async () => {
    const compute = start();
    const order: string[] = [];
    const pids = [join(folder, "1"), join(folder, "2")];
    await Promise.all([
      compute.run("train", work("pid", pids[0])).then(() => order.push("first")),
      compute.run("train", work("slow")).then(() => order.push("second")),
      compute.run("train", work("pid", pids[1])).then(() => order.push("third")),
    ]);
    assert.deepEqual(order, ["first", "second", "third"]);
    assert.equal(await readFile(pids[0] as string, "utf8"), await readFile(pids[1] as string, "utf8"));
  });

  test("tells a crash as a passing error and starts the process again", async () => {
    const compute = start();
    await assert.rejects(compute.run("train", work("crash")), (error: Error) => {
      assert.ok(error instanceof PassingError);
      assert.match(error.message, /SIGKILL/);
      return true;
    });
    assert.equal((await compute.run("train", work("fine"))).norm, 1);
  });

  test("quotes the last words of a process that broke", async () => {
    await assert.rejects(start().run("train", work("throw")), /the device caught fire/);
  });

  test("tells permanent from passing failures", async () => {
    const compute = start();
    await assert.rejects(compute.run("train", work("permanent")), PermanentError);
    await assert.rejects(compute.run("train", work("passing")), PassingError);
  });

  test("refuses answers that are not of the protocol", async () => {
    await assert.rejects(start().run("train", work("nonsense")), (error: Error) => error instanceof PermanentError);
  });

  test("cancels work when the signal aborts, and goes on with the next", async () => {
    const compute = start();
    const controller = new AbortController();
    const hanging = compute.run("train", work("hang"), { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 300);
    await assert.rejects(hanging, /enough/);
    assert.equal((await compute.run("train", work("fine"))).norm, 1);
  });

  test("stops a process that is silent, works too long or takes too much memory", async () => {
    await assert.rejects(start({ silence: 2 }).run("train", work("block")), /silent for 2 s/);
    await assert.rejects(start({ limit: 1 }).run("train", work("hang")), /took over 1 s/);
    await assert.rejects(start({ memory: 1 }).run("train", work("hang")), /over 1 MiB/);
  });

  test("hands no secret of its own environment to the process", async () => {
    process.env.FLOCK_SECRET_FOR_TEST = "0xdeadbeef";
    const file = join(folder, "environment");
    await start().run("train", work("environment", file));
    delete process.env.FLOCK_SECRET_FOR_TEST;
    assert.doesNotMatch(await readFile(file, "utf8"), /deadbeef/);
  });

  test("says what is wrong when the program is not there", async () => {
    const compute = openCompute({ settings, program: join(folder, "no.ts"), limits: { silence: 60, limit: 60 } });
    await assert.rejects(compute.run("train", work("fine")), /no\.ts/);
  });

  test("refuses work after closing", async () => {
    const compute = start();
    await compute.close();
    await assert.rejects(compute.run("train", work("fine")), PassingError);
  });

  test("leaves no compute process behind when its worker is killed", async () => {
    const file = join(folder, "orphan");
    const script = `
      import { openCompute } from ${JSON.stringify(new URL("../../../workers/compute/client.ts", import.meta.url).href)};
      const compute = openCompute(${JSON.stringify({ settings, program, limits: { silence: 60, limit: 60 } })});
      await compute.run("train", ${JSON.stringify(work("pid", file))});
      compute.run("train", ${JSON.stringify(work("block"))}).catch(() => {});
      console.log("busy");`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", 2] });
    for await (const chunk of parent.stdout ?? []) if (String(chunk).includes("busy")) break;
    const pid = Number(await readFile(file, "utf8"));
    await sleep(200); // the child is in its endless loop by now
    parent.kill("SIGKILL");
    while (isAlive(pid)) await sleep(50);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
