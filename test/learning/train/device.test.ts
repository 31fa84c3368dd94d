import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseDevice, probeDevice } from "../../../learning/train/device.ts";
import { PermanentError } from "../../../protocol/errors.ts";

describe("a device", () => {
  it("is reported with what runs the operators and the runtime's version", async () => {
    const { device, provider, version } = await probeDevice();
    assert.equal(provider, device === "cuda" ? "CUDAExecutionProvider" : "CPUExecutionProvider");
    assert.match(version, /^\d+\.\d+\.\d+/);
  });

  it("is what was asked for, or the best there is", () => {
    const cpu = { device: "cpu", provider: "CPUExecutionProvider", version: "1.0.0" } as const;
    const cuda = { device: "cuda", provider: "CUDAExecutionProvider", version: "1.0.0" } as const;
    assert.equal(chooseDevice("auto", cpu), "cpu");
    assert.equal(chooseDevice("auto", cuda), "cuda");
    assert.equal(chooseDevice("cpu", cuda), "cpu");
    assert.equal(chooseDevice("cuda", cuda), "cuda");
  });

  it("is never replaced when CUDA is demanded", () => {
    const cpu = { device: "cpu", provider: "CPUExecutionProvider", version: "1.0.0" } as const;
    assert.throws(() => chooseDevice("cuda", cpu), PermanentError);
  });
});
