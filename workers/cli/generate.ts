import type { Command } from "commander";
import { headToFlat } from "../../learning/aggregate/head.ts";
import { encodePrompt } from "../../learning/data/examples.ts";
import type { Computing } from "../../learning/graph/session.ts";
import { openHead } from "../compute/head.ts";
import { openRecipe } from "../compute/recipe.ts";
import { buildCurrentHead } from "./currentHead.ts";
import { interruption } from "./interruption.ts";
import { onDevice } from "./onDevice.ts";
import { configOf, type OperatorOptions, operatorVerb, usage } from "./options.ts";
import { showReport, type Terminal } from "./report.ts";

const MOST_TOKENS = 4096;

type GenerateOptions = OperatorOptions & {
  prompt: string;
  tokens: string;
  temperature?: string;
  topP: string;
  seed: string;
};

/** `flockctl generate`: one prompt, answered by the base model and by the task's head. Needs no key. */
export function generateCommand(terminal: Terminal): Command {
  return operatorVerb(
    "generate",
    "answer a prompt by the base model and by the task's head, side by side; needs no key",
    "flockctl generate --config operator.json --prompt 'Once upon a time'",
  )
    .requiredOption("--prompt <text>", "what to answer")
    .option("--tokens <number>", "longest answer, in tokens", "64")
    .option("--temperature <number>", "draw tokens by chance, the likelier the lower; without it the likeliest")
    .option("--top-p <number>", "draw only from the likeliest tokens that have this probability together", "1")
    .option("--seed <word>", "decides what is drawn", "flock")
    .action(async (options: GenerateOptions) => {
      const maxNew = Number(options.tokens);
      if (!Number.isInteger(maxNew) || maxNew < 1 || maxNew > MOST_TOKENS) {
        throw usage(`--tokens must be a whole number from 1 to ${MOST_TOKENS}, but is "${options.tokens}".`);
      }
      const sampling = samplingOf(options);
      const config = await configOf(options);
      // Only here: the runtime is large, and a worker leaves it to its compute process.
      const { openGenerator } = await import("../../learning/model/generator.ts");
      const { Stream } = await import("../../learning/random.ts");
      using stop = interruption();
      const { file, headId } = await buildCurrentHead(config, stop.signal);
      const recipe = await openRecipe(config);
      const { checkpoint, spec, tokenizer } = recipe;
      const prompt = encodePrompt(tokenizer, options.prompt);
      const answers = async (computing: Computing): Promise<[base: string, head: string]> => {
        const generator = openGenerator(checkpoint, spec, computing);
        const answer = async (headFile: string | null) => {
          const flat = headToFlat(await openHead(recipe, headFile)); // no head: the base, for its adapter is zero
          const stream = new Stream(options.seed, "generate"); // the same chance for both
          const how = { maxNew, sampling: sampling && { ...sampling, stream }, signal: stop.signal };
          return tokenizer.decode(await generator.generate(flat, prompt, how));
        };
        try {
          return [await answer(null), await answer(file)];
        } finally {
          await generator.close();
        }
      };
      const [base, head] = await onDevice(config.compute, answers, { terminal, signal: stop.signal });
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
    });
}

/** How to draw, unless the likeliest token is taken. */
function samplingOf({ temperature, topP, seed }: GenerateOptions): { temperature: number; topP: number } | undefined {
  if (!(Number(topP) > 0) || Number(topP) > 1) throw usage(`--top-p must be above 0 and at most 1, but is "${topP}".`);
  if (seed.includes("|")) throw usage('--seed must not hold a "|".');
  if (temperature === undefined) return undefined;
  if (!(Number(temperature) > 0) || Number(temperature) > 100) {
    throw usage(`--temperature must be above 0 and at most 100, but is "${temperature}".`);
  }
  return { temperature: Number(temperature), topP: Number(topP) };
}
