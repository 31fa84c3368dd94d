import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { headToFlat } from "../../learning/aggregate/head.ts";
import { readPeft, writePeft } from "../../learning/export/peft.ts";
import { PassingError } from "../../protocol/errors.ts";
import { canonicalManifest } from "../../protocol/manifest.ts";
import { openHead } from "../compute/head.ts";
import { readPublicSet } from "../compute/publicSet.ts";
import { openRecipe, type Recipe } from "../compute/recipe.ts";
import { writeFileAtomic } from "../files.ts";
import { buildCurrentHead, type CurrentHead } from "./currentHead.ts";
import { interruption } from "./interruption.ts";
import type { MergedModel } from "./mergedModel.ts";
import { onDevice } from "./onDevice.ts";
import { configOf, type OperatorOptions, operatorVerb, usage } from "./options.ts";
import { type JsonValue, showReport, type Terminal } from "./report.ts";

type ExportOptions = OperatorOptions & { out: string; merged?: boolean; float32?: boolean };

/** `flockctl export`: the model that a task has reached, and how it came about. Needs no key. */
export function exportCommand(terminal: Terminal): Command {
  return operatorVerb(
    "export",
    "write the task's head, the adapter for other tools (PEFT) and the lineage; needs no key",
    "flockctl export --config operator.json --task 1 --out model --merged",
  )
    .requiredOption("--out <folder>", "folder to write to")
    .option("--merged", "write the base model with the adapter merged into it, too, to the folder `merged` therein")
    .option("--float32", "store the merged weights in float32 and not as the base does, so that nothing is rounded off")
    .action(async (options: ExportOptions) => {
      if (options.float32 === true && options.merged !== true) throw usage("--float32 is for --merged only.");
      const config = await configOf(options);
      const out = resolve(options.out);
      // Only here: the runtime is large.
      const merging = options.merged === true ? await import("./mergedModel.ts") : undefined;
      await merging?.requireFree(join(out, "merged"));
      using stop = interruption();
      const head = await buildCurrentHead(config, stop.signal);
      const recipe = await openRecipe(config);
      const flat = headToFlat(await openHead(recipe, head.file));
      const peft = writePeft(recipe.layout, recipe.spec, { flat, base: head.manifest.base.name });

      const files: [name: string, bytes: Buffer | string][] = [
        ["head.safetensors", await readFile(head.file)],
        ["adapter_model.safetensors", peft.weights],
        ["adapter_config.json", peft.config],
        ["manifest.json", canonicalManifest(head.manifest)],
        ["lineage.json", lineageOf(config.task, head)],
      ];
      for (const [name, bytes] of files) await writeFileAtomic(join(out, name), bytes);
      await checkPeft(recipe, out, flat);
      const merged =
        merging &&
        (await onDevice(
          config.compute,
          async (computing) =>
            merging.writeMergedModel(recipe, {
              ...{ model: config.model, flat, folder: join(out, "merged"), float32: options.float32 === true },
              examples: await readPublicSet(config.data.public, recipe),
              ...{ computing, signal: stop.signal, tell: (text) => terminal.tell(text) },
            }),
          { terminal, signal: stop.signal },
        ));
      showReport(
        terminal,
        {
          json: {
            ...{ out, head: head.headId, digest: head.digest, moves: head.moves.length },
            ...{ files: files.map(([name]) => name), merged: merged === undefined ? null : (merged as JsonValue) },
          },
          fields: [
            ["head", `${head.headId} after ${head.moves.length} moves`],
            ["digest", head.digest],
            ["written to", out],
            ["files", files.map(([name]) => name).join(", ")],
            ...(merged === undefined ? [] : describe(merged)),
          ],
        },
        options,
      );
    });
}

/** Reads the adapter for PEFT back as a stranger would, and compares it with the head. */
async function checkPeft({ layout, spec }: Recipe, out: string, flat: Float32Array): Promise<void> {
  const config = await readFile(join(out, "adapter_config.json"), "utf8");
  const weights = await readFile(join(out, "adapter_model.safetensors"));
  const found = readPeft(layout, spec, { config, weights }, out);
  if (found.every((value, i) => value === flat[i])) return;
  throw new PassingError(`The disk gave back other numbers than were written to ${out}.`);
}

function describe({ folder, dtypes, files, comparison }: MergedModel): [name: string, value: string][] {
  const { examples, largest, mean } = comparison;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    ["merged", `${folder}: ${(bytes / 2 ** 20).toFixed(1)} MiB in ${dtypes.join(", ")}`],
    [
      "",
      `read back; the losses of ${examples} examples are within ${largest.toExponential(1)} nats a token (mean ${mean.toExponential(1)}) of those of base and adapter`,
    ],
  ];
}

function lineageOf(task: bigint, { headId, digest, manifestDigest, moves }: CurrentHead): string {
  const lineage = {
    task: String(task),
    manifest: manifestDigest,
    head: headId,
    digest,
    moves: moves.map((move) => ({ ...pick(move), factors: move.factors.map(String) })),
  };
  return `${JSON.stringify(lineage, null, 2)}\n`;
}

function pick({ round, parentId, headId, published, artifacts }: CurrentHead["moves"][number]) {
  return { round, parent: parentId, head: headId, published, artifacts };
}
