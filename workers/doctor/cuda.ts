import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { probeDevice, runtimeVersion } from "../../learning/train/device.ts";
import { type Gpu, readGpus } from "../../learning/train/gpus.ts";
import { attempt, type Check } from "./check.ts";

/** What ONNX Runtime loads for CUDA, beside its own library. */
export const CUDA_LIBRARIES = ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"] as const;

export type CudaOptions = {
  /** Whether the work needs it: what is missing is wrong then, and else absent. */
  needed: boolean;
  /** Folder of ONNX Runtime's libraries. */
  folder?: string | undefined;
  /** GPUs to try; all by default. */
  gpus?: readonly number[] | undefined;
};

/** The libraries, the driver, and an operator on each GPU; the last only where there is something to try. */
export async function checkCuda({ needed, folder = runtimeFolder(), gpus }: CudaOptions): Promise<Check[]> {
  const libraries = await checkLibraries(folder, needed);
  const found = await readGpus();
  const driver = await checkDriver(found, needed);
  if (libraries.state === "absent" || libraries.found === "missing" || driver.found === "none") {
    return [libraries, driver];
  }
  const probes: Check[] = [];
  for (const gpu of gpus ?? (found.length === 0 ? [0] : found.map(({ number }) => number))) {
    probes.push(
      await attempt(`GPU ${gpu}`, async () => {
        const { provider, name } = await probeDevice({ device: "cuda", gpu }).catch(({ cause }) => {
          throw cause;
        });
        return { state: "ok", found: `${name}; ${provider} runs a graph` };
      }),
    );
  }
  return [libraries, driver, ...probes];
}

/** Whether ONNX Runtime's CUDA provider is in a folder, and finds the libraries that it links itself. */
export async function checkLibraries(folder: string, needed: boolean): Promise<Check> {
  const name = "CUDA libraries";
  if (process.platform !== "linux" || process.arch !== "x64") {
    const advice = "ONNX Runtime for Node computes on NVIDIA's GPUs on Linux on x64 only; choose the cpu.";
    return { name, state: needed ? "wrong" : "absent", found: "missing", advice: needed ? advice : undefined };
  }
  const missing: string[] = [];
  for (const library of CUDA_LIBRARIES) await access(join(folder, library)).catch(() => missing.push(library));
  if (missing.length > 0) {
    const advice =
      `Run npm run install:cuda, which takes them from api.nuget.org (GLOBAL_AGENT_HTTPS_PROXY names a proxy), or copy ${CUDA_LIBRARIES.join(" and ")} ` +
      `of Microsoft.ML.OnnxRuntime.Gpu.Linux ${runtimeVersion()}, exactly this version, to ${folder}.`;
    return { name, state: needed ? "wrong" : "absent", found: "missing", advice };
  }
  const linked = await linkedBy(join(folder, CUDA_LIBRARIES[1]));
  const own = linked.filter(({ library }) => /^lib(cu|nv)/.test(library)).map(({ library }) => library);
  const lost = linked.filter(({ found }) => !found).map(({ library }) => library);
  if (lost.length === 0) return { name, state: "ok", found: `there; linked to ${own.join(", ")}` };
  return {
    name,
    state: needed ? "wrong" : "warning",
    found: `there; linked to ${own.join(", ")}`,
    advice:
      `These were not found: ${lost.join(", ")}; install the CUDA toolkit of the version that ends libcudart's name, and cuDNN 9, ` +
      "and put their folders into LD_LIBRARY_PATH.",
  };
}

/** What a library links, as `ldd` says, and whether it was found; nothing where there is no `ldd`. */
async function linkedBy(library: string): Promise<{ library: string; found: boolean }[]> {
  const { stdout } = await promisify(execFile)("ldd", [library]).catch(() => ({ stdout: "" }));
  return parseLdd(stdout);
}

export function parseLdd(text: string): { library: string; found: boolean }[] {
  return [...text.matchAll(/^\s*(\S+) => (not found|\S+)/gm)].map(([, library = "", place]) => ({
    library,
    found: place !== "not found",
  }));
}

async function checkDriver(gpus: readonly Gpu[], needed: boolean): Promise<Check> {
  const name = "GPU driver";
  if (gpus.length > 0) {
    const each = gpus.map((gpu) => `${gpu.number}: ${gpu.name}, ${Math.round(gpu.memory / 1024)} GiB`);
    return { name, state: "ok", found: `${gpus[0]?.driver}; ${each.join("; ")}` };
  }
  const isThere = await access("/dev/nvidia0").then(
    () => true,
    () => false,
  );
  if (isThere) {
    const advice =
      "nvidia-smi does not answer: install the driver's programs, or start the container with its GPU (docker run --gpus all).";
    return { name, state: "warning", found: "/dev/nvidia0", advice };
  }
  const advice = "Install NVIDIA's driver, or start the container with its GPU (docker run --gpus all).";
  return { name, state: needed ? "wrong" : "absent", found: "none", advice };
}

function runtimeFolder(): string {
  const main = createRequire(import.meta.url).resolve("onnxruntime-node");
  return join(dirname(main), "..", "bin", "napi-v6", process.platform, process.arch);
}
