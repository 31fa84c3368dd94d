import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runtimeVersion } from "../../../learning/train/device.ts";
import { root } from "../../../tools/files.ts";
import { CUDA_LIBRARIES, checkCuda, checkLibraries, parseLdd } from "../../../workers/doctor/cuda.ts";

const skip = process.platform === "linux" && process.arch === "x64" ? false : "CUDA is on Linux on x64 only";

describe("ONNX Runtime's CUDA libraries", { skip }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-cuda-"));
  });
  after(() => rm(folder, { recursive: true }));

  test("are absent or wrong where they are missing, by whether they are needed; both say how to get them", async () => {
    for (const needed of [false, true]) {
      const { state, found, advice } = await checkLibraries(folder, needed);
      assert.deepEqual([state, found], [needed ? "wrong" : "absent", "missing"]);
      assert.ok(advice?.includes("npm run install:cuda"));
      assert.ok(advice?.includes(`Microsoft.ML.OnnxRuntime.Gpu.Linux ${runtimeVersion()}`));
      assert.ok(advice?.includes(folder));
    }
    const [libraries, ...others] = await checkCuda({ needed: true, folder });
    assert.equal(libraries?.state, "wrong");
    assert.deepEqual(
      others.map(({ name }) => name),
      ["GPU driver"],
      "no GPU is tried without them",
    );
  });

  test("are named with what they link (the processor's library stands for CUDA's)", async () => {
    const own = join(dirname(createRequire(import.meta.url).resolve("onnxruntime-node")), "../bin/napi-v6/linux/x64");
    for (const name of CUDA_LIBRARIES) await symlink(join(own, "libonnxruntime.so.1"), join(folder, name));
    const { state, found, advice } = await checkLibraries(folder, true);
    assert.deepEqual([state, advice], ["ok", undefined]);
    assert.match(found, /^there; linked to/);
  });

  test("are looked through for what the loader does not find", () => {
    const text = [
      "\tlinux-vdso.so.1 (0x00007ffc)",
      "\tlibcudart.so.13 => not found",
      "\tlibcublas.so.13 => /usr/local/cuda/lib64/libcublas.so.13 (0x00007f00)",
    ].join("\n");
    assert.deepEqual(parseLdd(text), [
      { library: "libcudart.so.13", found: false },
      { library: "libcublas.so.13", found: true },
    ]);
  });

  test("are fetched by npm run install:cuda: it does not end before it asks for them", async () => {
    // A proxy that nobody serves: whoever asks is refused.
    const env = { ...process.env, GLOBAL_AGENT_HTTPS_PROXY: "http://127.0.0.1:9" };
    const ran = new Promise<string>((resolve) => {
      execFile("npm", ["run", "--silent", "install:cuda"], { cwd: root, env }, (error, _, stderr) =>
        resolve(`${error?.code} ${stderr}`),
      );
    });
    assert.match(await ran, /^1 .*ECONNREFUSED/s);
  });
});
