import type { Command } from "commander";
import { headToFlat } from "../../learning/aggregate/head.ts";
import { openHead } from "../compute/head.ts";
import { openRecipe } from "../compute/recipe.ts";
import { buildCurrentHead } from "./currentHead.ts";
import { interruption } from "./interruption.ts";
import { configOf, type OperatorOptions, operatorVerb, usage } from "./options.ts";
import { showReport, type Terminal } from "./report.ts";

const MOST_TOKENS = 4096;

/** `flockctl generate`: one prompt, answered by the base model and by the task's head. Needs no key. */
export function generateCommand(terminal: Terminal): Command {
  return operatorVerb(
    "generate",
    "answer a prompt by the base model and by the task's head, side by side; needs no key",
    "flockctl generate --config operator.json --prompt 'Once upon a time'",
  )
    .requiredOption("--prompt <text>", "what to answer")
    .option("--tokens <number>", "longest answer, in tokens", "64")
    .action(async (options: OperatorOptions & { prompt: string; tokens: string }) => {
      const tokens = Number(options.tokens);
      if (!Number.isInteger(tokens) || tokens < 1 || tokens > MOST_TOKENS) {
        throw usage(`--tokens must be a whole number from 1 to ${MOST_TOKENS}, but is "${options.tokens}".`);
      }
      const config = await configOf(options);
      // Only here: the runtime is large, and a worker leaves it to its compute process.
      const { openEvaluator } = await import("../../learning/model/evaluator.ts");
      const { requireDevice } = await import("../compute/device.ts");
      const device = await requireDevice(config.compute.device);
      using stop = interruption();
      const { file, headId } = await buildCurrentHead(config, stop.signal);
      const recipe = await openRecipe(config);
      const { checkpoint, spec, tokenizer } = recipe;
      const evaluator = await openEvaluator(checkpoint, spec, { device, threads: config.compute.threads });
      try {
        const prompt = [...tokenizer.prefix, ...tokenizer.encode(options.prompt)];
        const answer = async (headFile: string | null) => {
          const flat = headToFlat(await openHead(recipe, headFile)); // no head: the base, for its adapter is zero
          return tokenizer.decode(await evaluator.generate(flat, prompt, tokens));
        };
        const [base, head] = [await answer(null), await answer(file)];
        showReport(
          terminal,
          {
            json: { prompt: options.prompt, headId, base, head },
            table: {
              head: ["", "answer"],
              rows: [
                ["base", base],
                ["head", head],
              ],
            },
          },
          options,
        );
      } finally {
        await evaluator.close();
      }
    });
}
