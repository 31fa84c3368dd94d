import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { headToFlat } from "../../learning/aggregate/head.ts";
import { canonicalManifest } from "../../protocol/manifest.ts";
import { openHead } from "../compute/head.ts";
import { openRecipe } from "../compute/recipe.ts";
import { writeFileAtomic } from "../files.ts";
import { buildCurrentHead, type CurrentHead } from "./currentHead.ts";
import { interruption } from "./interruption.ts";
import { configOf, type OperatorOptions, operatorVerb } from "./options.ts";
import { writePeft } from "./peft.ts";
import { showReport, type Terminal } from "./report.ts";

/** `flockctl export`: the model that a task has reached, and how it came about. Needs no key. */
export function exportCommand(terminal: Terminal): Command {
  return operatorVerb(
    "export",
    "write the task's head, the adapter for other tools (PEFT) and the lineage; needs no key",
    "flockctl export --config operator.json --task 1 --out model",
  )
    .requiredOption("--out <folder>", "folder to write to")
    .action(async (options: OperatorOptions & { out: string }) => {
      const config = await configOf(options);
      using stop = interruption();
      const head = await buildCurrentHead(config, stop.signal);
      const recipe = await openRecipe(config);
      const flat = headToFlat(await openHead(recipe, head.file));
      const peft = writePeft(recipe.layout, recipe.spec, { flat, base: head.manifest.base.name });

      const out = resolve(options.out);
      const files: [name: string, bytes: Buffer | string][] = [
        ["head.safetensors", await readFile(head.file)],
        ["adapter_model.safetensors", peft.weights],
        ["adapter_config.json", peft.config],
        ["manifest.json", canonicalManifest(head.manifest)],
        ["lineage.json", lineageOf(config.task, head)],
      ];
      for (const [name, bytes] of files) await writeFileAtomic(join(out, name), bytes);
      showReport(
        terminal,
        {
          json: { out, head: head.headId, digest: head.digest, moves: head.moves.length, files: files.map(([n]) => n) },
          fields: [
            ["head", `${head.headId} after ${head.moves.length} moves`],
            ["digest", head.digest],
            ["written to", out],
            ["files", files.map(([name]) => name).join(", ")],
          ],
        },
        options,
      );
    });
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
