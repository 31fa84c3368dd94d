import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { sizeOf } from "../../learning/graph/shapes.ts";
import type { BaseModel } from "../../learning/model/baseModel.ts";
import { weightShapes } from "../../learning/model/weights.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { sha256OfFile } from "../files.ts";
import { showReport, type Terminal } from "./report.ts";

/** `flockctl model`: checks a base model's folder as a worker would, and gives what a manifest says of it. */
export function modelCommand(terminal: Terminal): Command {
  return new Command("model")
    .description("check a base model's folder and print the `base` of a manifest")
    .requiredOption("--dir <folder>", "Hugging Face folder of a Llama or Qwen2")
    .option("--name <name>", "name of the base in the manifest; by default the folder's")
    .option("--json", "print the manifest's `base` as JSON")
    .addHelpText("after", "\nExample:\n  flockctl model --dir models/tiny --json")
    .action(async (options: { dir: string; name?: string; json?: boolean }) => {
      // Only here: other verbs start without tokenizers and templates.
      const { openBaseModel } = await import("../../learning/model/baseModel.ts");
      const { checkFinite } = await import("../../learning/model/finite.ts");
      const dir = resolve(options.dir);
      const model = await openBaseModel(dir);
      const files: Manifest["base"]["files"] = [];
      for (const path of model.files) {
        const file = join(dir, path);
        if (path.endsWith(".safetensors")) await checkFinite(file);
        files.push({ path, sha256: await sha256OfFile(file), bytes: (await stat(file)).size });
      }
      showReport(
        terminal,
        {
          json: { name: options.name ?? basename(dir), files },
          fields: describe(model),
          table: {
            head: ["file", "bytes", "sha256"],
            rows: files.map(({ path, bytes, sha256 }) => [path, String(bytes), sha256]),
          },
        },
        options,
      );
    });
}

function describe({ checkpoint: { config, weights }, tokenizer, chat }: BaseModel): [name: string, value: string][] {
  const count = weightShapes(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const all = [...weights.values()];
  const types = [...new Set(all.map(({ dtype, scales }) => (scales === undefined ? dtype : "4 bits")))].sort();
  // Weights in 16 bits are widened, those in 4 bits only their scales.
  const loaded = all.reduce(
    (sum, { shape, bytes, scales }) => sum + (scales === undefined ? 4 * sizeOf(shape) : bytes + 2 * scales.bytes),
    0,
  );
  return [
    ["family", config.family],
    ["shape", `${config.layers} layers of width ${config.hidden}, ${config.heads} heads (${config.kvHeads} of keys)`],
    ["positions", String(config.maxPositions)],
    [
      "weights",
      `${count} in ${types.join(", ")}; ${Math.ceil(loaded / 2 ** 20)} MiB ${config.quantised ? "in memory" : "as float32"}`,
    ],
    ["tokens", `${tokenizer.vocab} of ${config.vocabulary} rows`],
    ["chat template", chat === undefined ? "none" : "yes"],
  ];
}
