import type { Computing } from "../../learning/graph/session.ts";
import { type DeviceReport, probeDevice } from "../../learning/train/device.ts";
import { availableMemory } from "../../learning/train/fit.ts";
import { type Gpu, readGpus } from "../../learning/train/gpus.ts";
import type { Engine } from "../../learning/validate/report.ts";
import { type LeaseOptions, leaseDevice } from "./lease.ts";
import type { ComputeRequest } from "./protocol.ts";

export type Wanted = Pick<ComputeRequest, "device" | "gpu" | "threads" | "spinning" | "weights">;

/** The devices of this process. */
export type Devices = {
  /**
   * Does work on a device that this process has to itself while the work lasts: the first free one of the GPUs asked for. The processor is shared.
   * @throws PermanentError if the device does not compute; nothing falls back to another. The signal's reason if it is aborted while all are taken.
   */
  use<T>(
    wanted: Wanted,
    work: (computing: Computing, engine: Engine) => Promise<T>,
    options?: LeaseOptions,
  ): Promise<T>;
};

/** Probes each device once, when it is first used. */
export function openDevices(): Devices {
  const reports = new Map<string, Promise<DeviceReport>>();
  const probe = (computing: Computing): Promise<DeviceReport> => {
    const key = `${computing.device} ${computing.gpu}`;
    const report = reports.get(key) ?? probeDevice(computing);
    reports.set(key, report);
    return report;
  };
  return {
    async use({ device, gpu = [0], threads, spinning = false, weights = "packed" }, work, options) {
      if (device === "cpu") {
        const computing = { device, threads, spinning, weights };
        return work(computing, { ...(await probe(computing)), threads, weights });
      }
      const named = await leaseNames(gpu);
      const lease = await leaseDevice([...named.keys()], options);
      try {
        const computing = { device, gpu: named.get(lease.name) as number, threads, spinning, weights };
        return await work(computing, { ...(await probe(computing)), threads, weights });
      } finally {
        await lease.giveBack();
      }
    },
  };
}

/** What the GPUs are called in every process of this machine: by the driver's id, or by number where it tells none. */
export async function leaseNames(numbers: readonly number[]): Promise<Map<string, number>> {
  const gpus = await readGpus();
  return new Map(numbers.map((number) => [gpus.find((gpu) => gpu.number === number)?.id ?? `cuda:${number}`, number]));
}

/** Tells the worker's log, which takes what this process prints, that the work stands still. */
export function sayWaits({ gpu = [0] }: Wanted): void {
  console.log(`waits for GPU ${gpu.join(" or ")}, which another process of this machine has`);
}

/** Bytes of memory that a request may use: of the smallest of its GPUs where the driver tells, else of the machine or its container. */
export async function availableTo(
  { device, gpu = [0], memory }: Pick<ComputeRequest, "device" | "gpu" | "memory">,
  gpus?: readonly Gpu[],
): Promise<number> {
  if (device === "cuda") {
    const own = (gpus ?? (await readGpus())).filter(({ number }) => gpu.includes(number));
    if (own.length > 0) return Math.min(...own.map((each) => each.memory)) * 2 ** 20;
  }
  return availableMemory(memory === undefined ? undefined : memory * 2 ** 20);
}
