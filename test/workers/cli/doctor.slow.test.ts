import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readGpus } from "../../../learning/train/gpus.ts";
import { readProcessor } from "../../../learning/train/processor.ts";
import type { Check } from "../../../workers/doctor/check.ts";
import { checkNode } from "../../../workers/doctor/machine.ts";
import { checkKeys } from "../../../workers/doctor/operator.ts";
import { makeTinyTask } from "../../support/tinyTask.ts";
import { flockctl } from "../../support/workerTask.ts";

describe("flockctl doctor", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-doctor-"));
  });
  after(() => rm(folder, { recursive: true }));
  const checksIn = (stdout: string): Map<string, Check> =>
    new Map((JSON.parse(stdout).checks as Check[]).map((check) => [check.name, check]));

  test("finds nothing wrong with a machine that runs its own tests, GPU or not", async () => {
    const { code, stdout, stderr } = await flockctl(["doctor", "--json"]);
    assert.equal(code, 0, stderr);
    const checks = checksIn(stdout);
    for (const name of ["Node", "ONNX Runtime", "processor"]) assert.equal(checks.get(name)?.state, "ok", name);
    assert.ok(checks.get("processor")?.found.startsWith(`${readProcessor().model}, `));
    assert.match(checks.get("processor")?.found ?? "", /[1-9][0-9.e+]* GFLOP\/s/);
    assert.match(checks.get("memory")?.found ?? "", /GiB/);
    assert.match(checks.get("disk")?.found ?? "", /GiB free/);
  });

  test("is wrong, with exit code 3, where CUDA is needed and not there", async (t) => {
    if ((await readGpus()).length > 0) return t.skip("needs a machine without a GPU");
    const { code, stdout, stderr } = await flockctl(["doctor", "--device", "cuda"]);
    assert.equal(code, 3);
    assert.match(stdout, /^GPU driver\twrong\tnone$/m);
    assert.match(stdout, /^CUDA libraries: .*npm run install:cuda/m);
    assert.match(stderr, /Something is wrong with this machine: .*GPU driver/);
  });

  test("names an unknown device", async () => {
    const { code, stderr } = await flockctl(["doctor", "--device", "tpu"]);
    assert.equal(code, 2);
    assert.match(stderr, /--device must be cpu or cuda/);
  });

  test("checks what a configuration names, each by itself", async () => {
    const task = await makeTinyTask(join(folder, "task"));
    const config = {
      ...{ rpcUrls: ["http://127.0.0.1:9"], chainId: 31337, deployment: "nowhere.json", task: 1 },
      ...{ operator: `0x${"a1".repeat(20)}`, key: { keystore: "key.json" }, manifest: task.manifestFile },
      ...{ model: task.model, data: { public: task.publicData }, queue: { url: "redis://127.0.0.1:9" } },
    };
    const file = join(folder, "operator.json");
    await writeFile(file, JSON.stringify(config));
    const sound = checksIn((await flockctl(["doctor", "--json", "--config", file])).stdout);
    assert.match(sound.get("base model")?.found ?? "", /^tiny, the manifest's 4 files$/);
    assert.equal(sound.get("work folder")?.state, "ok");
    assert.match(sound.get("key")?.advice ?? "", /ENOENT.*key\.json/);
    assert.match(sound.get("chain")?.advice ?? "", /nowhere\.json/);
    assert.equal(sound.get("queue")?.state, "wrong");

    await writeFile(join(task.model, "tokenizer.json"), "{}");
    const { code, stdout, stderr } = await flockctl(["doctor", "--json", "--config", file]);
    assert.equal(code, 3);
    assert.match(
      checksIn(stdout).get("base model")?.advice ?? "",
      /tokenizer\.json is not the file that the manifest names/,
    );
    assert.match(stderr, /base model/);
  });

  test("warns of a key that others can read", async () => {
    const [open, own] = [join(folder, "open.json"), join(folder, "own")];
    await writeFile(open, "{}", { mode: 0o644 });
    await writeFile(own, "x", { mode: 0o600 });
    const checks = await checkKeys({ key: { keystore: open, passwordFile: own }, secret: undefined });
    assert.deepEqual(
      checks.map(({ state, found }) => [state, found]),
      [
        ["warning", `${open}, mode 644`],
        ["ok", `${own}, mode 600`],
      ],
    );
    assert.match(checks[0]?.advice ?? "", /chmod 600/);
  });

  test("refuses a Node that is too old", () => {
    assert.equal(checkNode("24.1.0").state, "ok");
    assert.equal(checkNode("22.18.0").state, "wrong");
    assert.equal(checkNode("100.0.0").state, "ok");
  });
});
