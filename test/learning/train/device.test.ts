import assert from "node:assert/strict";
import { cpus } from "node:os";
import { describe, it } from "node:test";
import { providerOf } from "../../../learning/graph/session.ts";
import { probeDevice } from "../../../learning/train/device.ts";
import { parseGpus, readGpus } from "../../../learning/train/gpus.ts";
import { readProcessor } from "../../../learning/train/processor.ts";
import { PermanentError } from "../../../protocol/errors.ts";

describe("a device", () => {
  it("is reported with what runs the operators, the runtime's version and the processor with its vectors", async () => {
    const { device, provider, runtime, name, gpu } = await probeDevice({ device: "cpu" });
    assert.deepEqual([device, provider, gpu], ["cpu", "CPUExecutionProvider", undefined]);
    assert.match(runtime, /^\d+\.\d+\.\d+/);
    const { model, vectors } = readProcessor();
    assert.equal(name, `${model}, ${vectors}`);
    assert.equal(model, cpus()[0]?.model.trim() || process.arch);
  });

  it("is never replaced by the processor where CUDA is asked for", async () => {
    // A machine without a GPU shows the refusal; one that has it, the report.
    if ((await readGpus()).length === 0) {
      await assert.rejects(probeDevice({ device: "cuda", gpu: 3 }), (error: Error) => {
        assert.ok(error instanceof PermanentError);
        assert.match(error.message, /CUDA does not work on GPU 3 of this machine: `flockctl doctor`/);
        return true;
      });
    } else {
      const { provider, gpu } = await probeDevice({ device: "cuda", gpu: 0 });
      assert.deepEqual([provider, gpu], ["CUDAExecutionProvider", 0]);
    }
  });

  it("is asked for by its number", () => {
    assert.deepEqual(providerOf({ device: "cuda", gpu: 2 }), { name: "cuda", deviceId: 2 });
    assert.deepEqual(providerOf({ device: "cuda" }), { name: "cuda", deviceId: 0 });
    assert.equal(providerOf({ device: "cpu" }), "cpu");
  });
});

describe("the GPUs of a machine", () => {
  const csv = [
    "1, GPU-bbbb-2, NVIDIA L4, 550.54.15, 23034",
    "0, GPU-aaaa-1, NVIDIA H200, 550.54.15, 143771",
    "2, GPU-cccc-3, NVIDIA L4, 550.54.15, 23034",
    "",
  ].join("\n");
  const idsOf = (visible: string | undefined) => parseGpus(csv, visible).map(({ number, id }) => `${number} ${id}`);

  it("are read from the driver's table in the order of their places", () => {
    assert.deepEqual(idsOf(undefined), ["0 GPU-aaaa-1", "1 GPU-bbbb-2", "2 GPU-cccc-3"]);
    assert.deepEqual(parseGpus(csv, undefined)[0], {
      number: 0,
      id: "GPU-aaaa-1",
      name: "NVIDIA H200",
      driver: "550.54.15",
      memory: 143_771,
    });
  });

  it("are counted anew where some are hidden, up to the first that is not there", () => {
    assert.deepEqual(idsOf("2,0"), ["0 GPU-cccc-3", "1 GPU-aaaa-1"]);
    assert.deepEqual(idsOf("GPU-bbbb"), ["0 GPU-bbbb-2"]);
    assert.deepEqual(idsOf("1,7,0"), ["0 GPU-bbbb-2"]);
    assert.deepEqual(idsOf(""), []);
  });

  it("are none where the driver says something else", () => {
    assert.deepEqual(
      parseGpus("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", undefined),
      [],
    );
  });
});
