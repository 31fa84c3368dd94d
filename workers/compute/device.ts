import { chooseDevice, probeDevice } from "../../learning/train/device.ts";
import { availableMemory } from "../../learning/train/fit.ts";

/**
 * Makes sure that the machine has what the work asks for; a job that demands CUDA fails rather than falls back.
 * @throws PermanentError without CUDA.
 */
export async function requireDevice(wanted: "cpu" | "cuda"): Promise<"cpu" | "cuda"> {
  return wanted === "cuda" ? chooseDevice(wanted, await probeDevice()) : wanted;
}

/** Bytes of memory that a request may use. */
export function availableTo({ memory }: { memory?: number | undefined }): number {
  return availableMemory(memory === undefined ? undefined : memory * 2 ** 20);
}
