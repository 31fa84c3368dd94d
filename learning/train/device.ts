import { env, InferenceSession } from "onnxruntime-node";
import { PermanentError } from "../../protocol/errors.ts";
import { Graph } from "../graph/ir.ts";
import { neg } from "../graph/rules/neg.ts";
import { serialize } from "../graph/serialize.ts";
import type { Device } from "../graph/session.ts";

/** What the runtime of this process can compute on. */
export type DeviceReport = {
  device: Device;
  /** ONNX Runtime's name of what runs the operators. */
  provider: "CPUExecutionProvider" | "CUDAExecutionProvider";
  /** Of ONNX Runtime. */
  version: string;
};

/**
 * Finds out whether CUDA works, by running a graph of one operator that may not fall back to the processor: what the runtime lists as
 * supported says only what it was compiled for. Ask once a process, before it opens a session; the answer does not change.
 */
export async function probeDevice(): Promise<DeviceReport> {
  const version = env.versions.node ?? env.versions.common;
  const cuda = await runsOnCuda();
  return cuda
    ? { device: "cuda", provider: "CUDAExecutionProvider", version }
    : { device: "cpu", provider: "CPUExecutionProvider", version };
}

/**
 * The device for a job that asks for one, or for whatever is there (`auto`).
 *
 * @throws PermanentError if it demands CUDA and there is none; it never falls back.
 */
export function chooseDevice(wanted: Device | "auto", { device }: DeviceReport): Device {
  if (wanted === "cuda" && device !== "cuda") {
    throw new PermanentError(
      "The job demands CUDA, which does not work on this machine; run it elsewhere or ask for the cpu.",
    );
  }
  return wanted === "auto" ? device : wanted;
}

async function runsOnCuda(): Promise<boolean> {
  const graph = new Graph();
  const y = neg(graph, graph.input("x", "float32", [1]));
  // The runtime would print that its CUDA library is missing, which is an answer and no fault.
  env.logLevel = "fatal";
  try {
    const session = await InferenceSession.create(serialize(graph, [y]), {
      executionProviders: ["cuda"],
      extra: { session: { disable_cpu_ep_fallback: "1" } },
    });
    await session.release();
    return true;
  } catch {
    return false;
  }
}
