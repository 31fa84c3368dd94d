import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A GPU that this process may use. */
export type Gpu = {
  /** As CUDA counts those that the process may see, in the order of their places in the machine. */
  number: number;
  /** The same in every process of the machine. */
  id: string;
  name: string;
  driver: string;
  /** In MiB. */
  memory: number;
};

/** The order in which `readGpus` counts. CUDA itself would begin with the fastest. */
export const GPU_ORDER = { CUDA_DEVICE_ORDER: "PCI_BUS_ID" } as const;

const FIELDS = "index,uuid,name,driver_version,memory.total";

/** The GPUs that NVIDIA's driver tells of through `nvidia-smi`; none where there is no such program. */
export async function readGpus(): Promise<Gpu[]> {
  try {
    const { stdout } = await promisify(execFile)(
      "nvidia-smi",
      [`--query-gpu=${FIELDS}`, "--format=csv,noheader,nounits"],
      { timeout: 30_000 },
    );
    return parseGpus(stdout, process.env.CUDA_VISIBLE_DEVICES);
  } catch {
    return [];
  }
}

/** Reads lines of `index, uuid, name, driver, MiB`. `visible` lists the GPUs that CUDA shows, by index or the beginning of the uuid; up to the first that is neither. */
export function parseGpus(csv: string, visible: string | undefined): Gpu[] {
  const all = csv
    .split("\n")
    .map((line) => line.split(",").map((cell) => cell.trim()))
    .filter((cells) => cells.length === 5 && /^\d+$/.test(cells[0] as string))
    .map(([index, id, name, driver, memory]) => ({ index, id, name, driver, memory: Number(memory) }))
    .sort((a, b) => Number(a.index) - Number(b.index));
  const shown: Omit<Gpu, "number">[] = [];
  for (const entry of visible?.split(",") ?? all.map(({ index }) => index as string)) {
    const wanted = entry.trim();
    const gpu = all.find(({ index, id }) => wanted !== "" && (index === wanted || id?.startsWith(wanted)));
    if (gpu === undefined) break;
    const { index: _, ...rest } = gpu;
    shown.push(rest as Omit<Gpu, "number">);
  }
  return shown.map((gpu, number) => ({ number, ...gpu }));
}
