import { statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { measureGemmRate } from "../../learning/graph/gemmRate.ts";
import { probeDevice } from "../../learning/train/device.ts";
import { availableMemory } from "../../learning/train/fit.ts";
import { readProcessor } from "../../learning/train/processor.ts";
import { attempt, type Check } from "./check.ts";

const NODE = 24;
const GIB = 2 ** 30;
/** Less is too little for all but small models. */
const MEMORY = 4 * GIB;
const DISK = 5 * GIB;

/** Node, ONNX Runtime on the processor, the processor itself, memory, and the disk of `folder`. */
export async function checkMachine(folder: string): Promise<Check[]> {
  return [
    checkNode(process.versions.node),
    await checkRuntime(),
    await checkProcessor(),
    checkMemory(),
    await checkDisk(folder),
  ];
}

export function checkNode(version: string): Check {
  const isNew = Number(version.split(".")[0]) >= NODE;
  return {
    name: "Node",
    state: isNew ? "ok" : "wrong",
    found: version,
    advice: isNew ? undefined : `Start with npx flockctl, or node tools/flockctl.mjs, which bring Node ${NODE}.`,
  };
}

function checkRuntime(): Promise<Check> {
  return attempt("ONNX Runtime", async () => {
    const { runtime, provider } = await probeDevice({ device: "cpu" });
    return { state: "ok", found: `${runtime}; ${provider} runs a graph` };
  });
}

async function checkProcessor(): Promise<Check> {
  const { model, vectors, cores } = readProcessor();
  return attempt("processor", async () => {
    const rate = await measureGemmRate({ device: "cpu", threads: cores });
    const wide = vectors !== "none";
    return {
      state: wide ? "ok" : "warning",
      found: `${model}, ${vectors}, ${cores} ${cores === 1 ? "core" : "cores"}; ${(rate / 1e9).toPrecision(3)} GFLOP/s of matrix products`,
      advice: wide ? undefined : "Without AVX2 all work takes several times as long: take another processor.",
    };
  });
}

function checkMemory(): Check {
  const available = availableMemory();
  const limited = available < totalmem() ? ` for this container, of ${gibibytes(totalmem())}` : "";
  const enough = available >= MEMORY;
  return {
    name: "memory",
    state: enough ? "ok" : "warning",
    found: `${gibibytes(available)}${limited}; ${gibibytes(freemem())} free`,
    advice: enough ? undefined : "flockctl plan --model says what a model takes.",
  };
}

export function checkDisk(folder: string): Promise<Check> {
  return attempt("disk", async () => {
    const { bavail, bsize } = await statfs(folder);
    const enough = bavail * bsize >= DISK;
    return {
      state: enough ? "ok" : "warning",
      found: `${gibibytes(bavail * bsize)} free at ${folder}`,
      advice: enough ? undefined : "Make room: artifacts and reports are kept for good.",
    };
  });
}

function gibibytes(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
