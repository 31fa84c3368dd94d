import type { Computing } from "../../learning/graph/session.ts";
import type { OperatorConfig } from "../config.ts";
import type { Terminal } from "./report.ts";

type Wanted = Pick<OperatorConfig["compute"], "device" | "gpu" | "threads" | "weights"> & Pick<Computing, "spinning">;

/** Computes on the device that a configuration names; waits while another process of this machine has it. */
export async function onDevice<T>(
  { device, gpu, threads, spinning, weights }: Wanted,
  work: (computing: Computing) => Promise<T>,
  { terminal, signal }: { terminal: Terminal; signal?: AbortSignal | undefined },
): Promise<T> {
  // Only here: the runtime is large.
  const { openDevices } = await import("../compute/device.ts");
  return openDevices().use({ device, gpu: [gpu].flat(), threads, spinning, weights }, work, {
    signal,
    onWait: () => terminal.tell("Another process of this machine has the GPU: waiting for it.\n"),
  });
}
