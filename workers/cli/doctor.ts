import { Command } from "commander";
import { PermanentError } from "../../protocol/errors.ts";
import { readConfig } from "../config.ts";
import type { Check } from "../doctor/check.ts";
import { usage } from "./options.ts";
import { type JsonValue, showReport, type Terminal } from "./report.ts";

type DoctorOptions = { config?: string; device?: string; json?: boolean };

/** `flockctl doctor`: whether this machine can do an operator's work, and what to do about what is missing. */
export function doctorCommand(terminal: Terminal): Command {
  return new Command("doctor")
    .description("check this machine: Node, ONNX Runtime, processor, memory, disk, CUDA; needs no key")
    .option("--device <device>", "cpu or cuda: what the work needs; the configuration's by default, else cpu")
    .option("--config <file>", "check what an operator's configuration names, too: folders, queue, model, chain")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit code 0 if nothing is wrong (an absent GPU is nothing wrong where none is asked for), else 3.\n" +
        "\nExample:\n  flockctl doctor --config operator.json --device cuda",
    )
    .action(async (options: DoctorOptions) => {
      const { device } = options;
      if (device !== undefined && device !== "cpu" && device !== "cuda") {
        throw usage(`--device must be cpu or cuda, but is "${device}".`);
      }
      const config = options.config === undefined ? undefined : await readConfig(options.config);
      const needed = (device ?? config?.compute.device) === "cuda";
      // Only here: the runtime is large.
      const { checkCuda } = await import("../doctor/cuda.ts");
      const { checkMachine } = await import("../doctor/machine.ts");
      const { checkOperator } = await import("../doctor/operator.ts");
      const gpus = needed && config !== undefined ? [config.compute.gpu].flat() : undefined;
      // First: the probe keeps the runtime from printing what the checks say in their own words.
      const cuda = await checkCuda({ needed, gpus });
      const operator = config === undefined ? [] : await checkOperator(config);
      show(terminal, [...(await checkMachine(config?.work ?? process.cwd())), ...cuda, ...operator], options);
    });
}

function show(terminal: Terminal, checks: readonly Check[], options: DoctorOptions): void {
  const wrong = checks.filter(({ state }) => state === "wrong").map(({ name }) => name);
  showReport(
    terminal,
    {
      json: {
        ok: wrong.length === 0,
        checks: checks.map((check) => ({ ...check, advice: check.advice ?? null })) as JsonValue,
      },
      table: { head: ["check", "", "found"], rows: checks.map(({ name, state, found }) => [name, state, found]) },
      lines: checks.flatMap(({ name, advice }) => (advice === undefined ? [] : [`${name}: ${advice}`])),
    },
    options,
  );
  if (wrong.length > 0) throw new PermanentError(`Something is wrong with this machine: ${wrong.join(", ")}.`);
}
