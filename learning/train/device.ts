import { env, InferenceSession, Tensor } from "onnxruntime-node";
import { PermanentError } from "../../protocol/errors.ts";
import { Graph } from "../graph/ir.ts";
import { neg } from "../graph/rules/neg.ts";
import { serialize } from "../graph/serialize.ts";
import { type Computing, type Device, providerOf } from "../graph/session.ts";
import { GPU_ORDER, readGpus } from "./gpus.ts";
import { readProcessor } from "./processor.ts";

/** What computes here, found out by computing: part of every record of work. */
export type DeviceReport = {
  device: Device;
  /** Number of the GPU; none on the processor. */
  gpu?: number;
  /** ONNX Runtime's name of what runs the operators. */
  provider: "CPUExecutionProvider" | "CUDAExecutionProvider";
  /** Version of ONNX Runtime. */
  runtime: string;
  /** Of the GPU where the driver tells it; of the processor with its vector instructions, on which the bits depend. */
  name: string;
};

/**
 * Runs a graph of one operator on a device, which may not fall back to the processor: what the runtime lists as supported says only what it was compiled
 * for. Ask once a process; the answer does not change.
 *
 * @throws PermanentError if the device does not compute.
 */
export async function probeDevice({ device, gpu = 0 }: Pick<Computing, "device" | "gpu">): Promise<DeviceReport> {
  const runtime = runtimeVersion();
  if (device === "cuda") {
    Object.assign(process.env, { ...GPU_ORDER, ...process.env });
    // The runtime would print that its CUDA library is missing, which is an answer and no fault.
    env.logLevel = "fatal";
  }
  try {
    await negate({ device, gpu });
  } catch (cause) {
    const what = device === "cuda" ? `CUDA does not work on GPU ${gpu}` : "ONNX Runtime does not work on the processor";
    const advice = device === "cuda" ? "`flockctl doctor` says what is missing, or choose the cpu" : "reinstall it";
    throw new PermanentError(`${what} of this machine: ${advice}.`, { cause });
  }
  if (device === "cpu") {
    const { model, vectors } = readProcessor();
    return { device, provider: "CPUExecutionProvider", runtime, name: `${model}, ${vectors}` };
  }
  const name = (await readGpus()).find(({ number }) => number === gpu)?.name ?? "unknown";
  return { device, gpu, provider: "CUDAExecutionProvider", runtime, name };
}

/** Version of ONNX Runtime. */
export function runtimeVersion(): string {
  return env.versions.node ?? env.versions.common;
}

async function negate(where: Pick<Computing, "device" | "gpu">): Promise<void> {
  const graph = new Graph();
  const y = neg(graph, graph.input("x", "float32", [1]));
  const session = await InferenceSession.create(serialize(graph, [y]), {
    executionProviders: [providerOf(where)],
    ...(where.device === "cuda" ? { extra: { session: { disable_cpu_ep_fallback: "1" } } } : {}),
  });
  try {
    const results = await session.run({ x: new Tensor("float32", Float32Array.of(2), [1]) });
    const answer = (results[y.name] as Tensor).data[0];
    if (answer !== -2) throw new Error(`It says that the negative of 2 is ${answer}.`);
  } finally {
    await session.release();
  }
}
