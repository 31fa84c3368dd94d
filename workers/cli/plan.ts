import { Command } from "commander";
import type { AdapterSpec } from "../../learning/model/adapter.ts";
import { onDevice } from "./onDevice.ts";
import { usage } from "./options.ts";
import { type JsonValue, showReport, type Terminal } from "./report.ts";

type PlanOptions = {
  model: string;
  device: string;
  threads: string;
  weights: string;
  rank: string;
  targets: string;
  batch: string;
  accumulate: string;
  tokens: string;
  memory?: string;
  packing?: boolean;
  json?: boolean;
};

/** `flockctl plan`: what training a model takes here, before any work starts. */
export function planCommand(terminal: Terminal): Command {
  return new Command("plan")
    .description("what training a model takes on this machine: memory, disk, traffic, time; trains nothing")
    .requiredOption("--model <folder>", "Hugging Face folder of the base model")
    .option("--device <device>", "cpu or cuda", "cpu")
    .option("--threads <number>", "threads within one operator", "1")
    .option("--weights <how>", "packed, or mapped: shared with other processes", "packed")
    .option("--rank <number>", "of the adapter", "16")
    .option(
      "--targets <names>",
      "linear layers that the adapter changes",
      "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj",
    )
    .option("--batch <number>", "examples a batch", "32")
    .option("--accumulate <number>", "batches a step", "1")
    .option("--tokens <number>", "longest example", "512")
    .option("--packing", "examples of a batch share rows")
    .option("--memory <MiB>", "how much it may use on the processor; by default what the machine or its container has")
    .option("--json", "print JSON, in bytes, seconds and floating-point operations")
    .addHelpText(
      "after",
      "\nExample:\n  flockctl plan --model ~/models/Qwen2.5-0.5B --threads 2 --batch 8 --tokens 256",
    )
    .action(async (options: PlanOptions) => {
      const number = (
        name: "threads" | "rank" | "batch" | "accumulate" | "tokens" | "memory",
        most: number,
      ): number => {
        const value = Number(options[name]);
        if (Number.isInteger(value) && value >= 1 && value <= most) return value;
        throw usage(`--${name} must be a whole number from 1 to ${most}, but is "${options[name]}".`);
      };
      if (options.device !== "cpu" && options.device !== "cuda") {
        throw usage(`--device must be cpu or cuda, but is "${options.device}".`);
      }
      const { weights } = options;
      if (weights !== "packed" && weights !== "mapped")
        throw usage(`--weights must be packed or mapped, but is "${weights}".`);
      const spec: AdapterSpec = {
        ...{ rank: number("rank", 256), alpha: 1, seed: "plan" },
        targets: options.targets.split(","),
      };
      const planned = {
        spec,
        batch: number("batch", 65_536),
        accumulate: number("accumulate", 65_536),
        packing: options.packing === true,
      };
      const threads = number("threads", 1024);
      const tokens = number("tokens", 1 << 20);
      // Only here: the runtime is large.
      const { openCheckpoint } = await import("../../learning/model/checkpoint.ts");
      const { bucketFor } = await import("../../learning/model/batches.ts");
      const { fit } = await import("../../learning/train/fit.ts");
      const { measureGemmRate } = await import("../../learning/graph/gemmRate.ts");
      const { availableTo } = await import("../compute/device.ts");
      const { artifactSize } = await import("../../learning/artifact/artifact.ts");
      const { adapterLayout } = await import("../../learning/model/adapter.ts");

      const checkpoint = await openCheckpoint(options.model);
      const length = bucketFor({ tokens: new Int32Array(tokens + 1), promptLength: 1 }, checkpoint.config);
      const { device } = options;
      const most = options.memory === undefined ? undefined : number("memory", 1 << 30);
      const available = await availableTo({ device, memory: most });
      const { form, plan, fits, instead } = fit(checkpoint, { ...planned, length, weights }, available);
      const rate = await onDevice({ device, gpu: 0, threads, weights }, (computing) => measureGemmRate(computing), {
        terminal,
      });
      const artifact = artifactSize(adapterLayout(checkpoint.config, spec));
      const { family, layers, hidden } = checkpoint.config;
      const { memory, parameters, trained, disk, flops, shape } = plan;
      const verdict = fits
        ? form === "fused"
          ? "It fits, the whole model at once."
          : "It fits, one group of layers at a time; the whole model at once would not."
        : instead === undefined
          ? "It does not fit in any batch: take smaller steps or shorter examples, or a larger machine."
          : `It does not fit; --batch ${instead.batch} --accumulate ${instead.accumulate} would.`;
      const json: JsonValue = {
        ...{ family, layers, hidden, parameters, trained, disk, artifact, length: shape.length, rows: shape.batch },
        ...{ memory, available, form, fits, instead: instead ?? null },
        ...{ flopsPerStep: flops, gemmRate: rate, secondsPerStep: flops / rate, device },
      };
      showReport(
        terminal,
        {
          json,
          fields: [
            [
              "model",
              `${family}, ${layers} layers of ${hidden}, ${count(parameters)} parameters, ${count(trained)} trained`,
            ],
            ["disk", `${bytes(disk)} of weights`],
            ["memory", `${bytes(memory.total)} of ${bytes(available)}`],
            ["  base", bytes(memory.base)],
            ...(memory.packed === 0 ? [] : [["  packed matrices", bytes(memory.packed)] as [string, string]]),
            [
              "  activations",
              `${bytes(memory.activations)} for ${shape.batch} x ${shape.length} tokens${shape.packed === true ? ", the most that packing makes of them" : ""}`,
            ],
            ["  optimiser", bytes(memory.state)],
            ["  runtime", bytes(memory.runtime)],
            ["traffic", `${bytes(artifact)} for each update, up and down`],
            ["work", `${(flops / 1e9).toPrecision(3)} GFLOP a step`],
            [
              "time",
              `${(flops / rate).toPrecision(2)} s a step at least, at the ${(rate / 1e9).toPrecision(3)} GFLOP/s of matrix products measured now (${device})`,
            ],
          ],
          lines: [verdict],
        },
        options,
      );
    });
}

function bytes(count: number): string {
  if (count >= 2 ** 30) return `${(count / 2 ** 30).toFixed(1)} GiB`;
  return count >= 2 ** 20 ? `${(count / 2 ** 20).toFixed(1)} MiB` : `${(count / 2 ** 10).toFixed(1)} KiB`;
}

function count(number: number): string {
  const [size, unit] = number >= 1e9 ? [1e9, " billion"] : number >= 1e6 ? [1e6, " million"] : [1, ""];
  return `${Number((number / size).toPrecision(3))}${unit}`;
}
