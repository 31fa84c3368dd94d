import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";
import { flockctl } from "../../support/workerTask.ts";

describe("flockctl model", () => {
  let folder: string;
  let task: TinyTask;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-model-"));
    task = await makeTinyTask(folder);
  });
  after(() => rm(folder, { recursive: true }));

  test("prints what the manifest says of the base", async () => {
    const { code, stdout, stderr } = await flockctl(["model", "--dir", task.model, "--name", "tiny", "--json"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), task.manifest.base);
  });

  test("says in words what it is", async () => {
    const { stdout } = await flockctl(["model", "--dir", task.model]);
    assert.match(stdout, /^family\tllama\nshape\t1 layers of width 16, 2 heads \(2 of keys\)\n/);
    assert.match(stdout, /weights\t\d+ in F32; 1 MiB as float32\ntokens\t263 of 263 rows\nchat template\tnone\n/);
  });

  test("refuses what a worker would refuse", async () => {
    const file = join(task.model, "model.safetensors");
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -1));
    const truncated = await flockctl(["model", "--dir", task.model]);
    assert.deepEqual([truncated.code, truncated.stdout], [3, ""]);
    assert.match(truncated.stderr, /model\.safetensors: the tensors end at byte/);
    bytes.writeFloatLE(Number.POSITIVE_INFINITY, bytes.length - 4);
    await writeFile(file, bytes);
    assert.match((await flockctl(["model", "--dir", task.model])).stderr, /is infinite or no number/);
  });
});
