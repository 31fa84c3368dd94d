import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { type Compute, openCompute } from "../../../workers/compute/client.ts";
import type { RequestOf } from "../../../workers/compute/protocol.ts";
import { sha256OfFile } from "../../../workers/files.ts";
import { addressSpace, canMount, computePid, limit, withSmallDisk } from "../../support/limits.ts";
import { tinyTraining } from "../../support/operatorRoom.ts";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";

/** Long enough to be hit in its midst. */
const long = { ...tinyTraining, steps: 600, every: 5 };

let folder: string;
let task: TinyTask;
let compute: Compute;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-shortages-"));
  task = await makeTinyTask(folder);
  await mkdir(at("out"));
  compute = openCompute({
    settings: { manifest: task.manifestFile, model: task.model, device: "cpu", threads: 1 },
    limits: { silence: 120, limit: 600 },
  });
  await compute.run("aggregate", { base: null, updates: [], published: 0, out: at("zero") });
});
afterEach(async () => {
  await compute.close();
  await rm(folder, { recursive: true });
});
const at = (name: string) => join(folder, name);
const files = async () => (await readdir(at("out"))).sort();
type Training = RequestOf<"train">["training"];
const train = (name: string, training: Training = tinyTraining, onProgress: (done: number) => void = () => {}) => {
  const work = { head: at("zero"), data: task.trainData, training, seed: "shortage", out: join(at("out"), name) };
  return compute.run("train", work, { onProgress });
};
/** Calls `act` once, when a training is past its second saved state. */
const midway = (act: () => void) => {
  let done = false;
  return (step: number) => {
    if (step < 12 || done) return;
    done = true;
    act();
  };
};
const isPassing = (message: RegExp) => (error: Error) => {
  assert.ok(error instanceof PassingError, error.stack);
  assert.match(error.message, message);
  return true;
};
/** Trains again, from the saved state, to the bits of a training that nothing befell. */
async function endsAsIfNothingHadBeen(name: string): Promise<void> {
  const steps: number[] = [];
  const { sha256 } = await train(name, long, (step) => steps.push(step));
  assert.ok((steps[0] as number) > 10, `it went on at step ${steps[0]}`);
  assert.equal(sha256, await sha256OfFile(join(at("out"), name)));
  assert.equal(sha256, (await train("whole", long)).sha256);
  assert.deepEqual(await files(), [name, "whole"].sort());
}

describe("a training", () => {
  test("whose state does not fit on the disk any more keeps the last one, and goes on from it when there is room", async () => {
    const pid = await computePid();
    const half = () => limit(pid, "fsize", 1024); // of a state: it is cut off in the middle
    await assert.rejects(train("update", long, midway(half)), isPassing(/EFBIG/));
    assert.deepEqual(await files(), ["update.state"], "no update, and nothing half-written");
    limit(pid, "fsize", "unlimited");
    await endsAsIfNothingHadBeen("update");
  });

  test("whose update does not fit on the disk leaves none, and gives it when there is room", async () => {
    const pid = await computePid();
    limit(pid, "fsize", 256);
    await assert.rejects(train("update"), isPassing(/EFBIG/));
    assert.deepEqual(await files(), []);
    limit(pid, "fsize", "unlimited");
    const { sha256 } = await train("update");
    assert.equal((await train("again")).sha256, sha256);
    assert.deepEqual(await files(), ["again", "update"]);
  });

  test("goes on from its last state after its process was killed, as the kernel does when memory is short", async () => {
    const pid = await computePid();
    await assert.rejects(
      train(
        "update",
        long,
        midway(() => process.kill(pid, "SIGKILL")),
      ),
      isPassing(/ended at "train" \(SIGKILL.*the next try starts it again/),
    );
    assert.deepEqual(
      (await files()).filter((name) => !name.endsWith(".part")),
      ["update.state"],
    );
    await writeFile(join(at("out"), "update.state.0123456789ab.part"), "half a state"); // killed while it wrote
    await endsAsIfNothingHadBeen("update");
    assert.notEqual(await computePid(), pid);
  });

  test("that gets no more memory is tried again, however the runtime takes it", async () => {
    const large = { ...tinyTraining, batch: 4096 };
    const { sha256 } = await train("whole", large);
    for (const mebibytes of [0, 64]) {
      await compute.close();
      compute = openCompute({
        settings: { manifest: task.manifestFile, model: task.model, device: "cpu", threads: 1 },
        limits: { silence: 120, limit: 600 },
      });
      await compute.run("aggregate", { base: null, updates: [], published: 0, out: at("zero") });
      const pid = await computePid();
      limit(pid, "as", (await addressSpace(pid)) + mebibytes * 2 ** 20);
      await assert.rejects(train("update", large), PassingError, `${mebibytes} MiB more`);
      assert.deepEqual(
        (await files()).filter((name) => !name.endsWith(".part")),
        ["whole"],
      );
      const now = await computePid().catch(() => undefined);
      if (now !== undefined) limit(now, "as", "unlimited");
      assert.equal((await train("update", large)).sha256, sha256);
      await rm(join(at("out"), "update"));
    }
  });

  test("that takes more memory than there is is declined for good, before it begins", async () => {
    await assert.rejects(train("update", { ...tinyTraining, batch: 30_000_000 }), (error: Error) => {
      assert.ok(error instanceof PermanentError);
      assert.match(error.message, /takes \d+\.\d GiB of memory, and there are .*training\.batch \d+/);
      return true;
    });
    assert.deepEqual(await files(), []);
  });

  // Some containers let nobody mount a disk; the limits on a file's size above are everywhere.
  if (canMount()) {
    test("and a store on a disk that is really full leave nothing half-written, and go on when there is room", async () => {
      const disk = at("disk");
      await mkdir(disk);
      const [command, ...before] = withSmallDisk(disk, 512);
      const program = join(import.meta.dirname, "..", "..", "support", "fullDiskProgram.ts");
      const args = [...before, process.execPath, program, disk, JSON.stringify(task), at("zero")];
      const told = JSON.parse(execFileSync(command, args, { encoding: "utf8" }));
      assert.equal(told.training.name, "PassingError");
      assert.match(told.training.message, /ENOSPC/);
      assert.deepEqual(told.training.files, ["update.state"]);
      assert.ok(told.resumedAfter > 5, `it went on at step ${told.resumedAfter}`);
      assert.match(told.storing.message, /ENOSPC/);
      assert.deepEqual(told.storing.files, []);
      assert.equal(told.kept, true);
      const work = {
        head: at("zero"),
        data: task.trainData,
        training: long,
        seed: "full",
        out: join(at("out"), "whole"),
      };
      assert.equal((await compute.run("train", work)).sha256, told.sha256);
    });
  }
});
