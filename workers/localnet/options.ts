import { resolve } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";

/** How the poisoning trainers poison. */
export const attackNames = ["flip", "trigger"] as const;
export type AttackName = (typeof attackNames)[number];

const count = (name: string, min: number, max: number) =>
  z.coerce
    .number({ error: `--${name} must be a whole number from ${min} to ${max}.` })
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, {
      error: `--${name} must be a whole number from ${min} to ${max}.`,
    });

const optionsSchema = z
  .object({
    rounds: count("rounds", 1, 100),
    trainers: count("trainers", 1, 12), // twelve seats' stake are spread over them, and each needs one
    validators: count("validators", 2, 24),
    attackers: count("attackers", 0, 11),
    attack: z.enum(attackNames, { error: `--attack must be one of: ${attackNames.join(", ")}.` }),
    data: z.string().optional(),
    seed: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, { error: "--seed must be 1 to 64 letters, digits, dots or dashes." }),
    json: z.string().optional(),
    quiet: z.boolean(),
  })
  .refine((options) => options.attackers < options.trainers, {
    error: "--attackers must be fewer than --trainers: somebody has to be honest.",
  });

/** What a local network run is asked for; paths are absolute. */
export type LocalnetOptions = z.output<typeof optionsSchema>;

function command(): Command {
  return new Command("npm start --")
    .description("Runs a whole decentralised fine-tuning task on this machine: chain, contracts, trainers, validators.")
    .option("--rounds <n>", "rounds to run", "3")
    .option("--trainers <n>", "trainers, attackers among them", "4")
    .option("--validators <n>", "validators; with attackers, the last one answers at random", "5")
    .option("--attackers <n>", "trainers that poison", "1")
    .option("--attack <name>", `how they poison: ${attackNames.join(" or ")}`, "flip")
    .option("--data <dir>", "train on this folder of JSONL files (prompt, completion; one file a domain)")
    .option("--seed <word>", "decides the data and the order of training; keys and seats are new in every run", "1")
    .option("--json <file>", "write the figures as JSON (docs/npm-start.schema.json)")
    .option("--quiet", "print only the final tables", false)
    .addHelpText("after", "\nExample:\n  npm start -- --rounds 2 --attack trigger --json result.json")
    .showHelpAfterError("(add --help for the options)")
    .exitOverride();
}

/**
 * Options from the command line.
 * @throws PermanentError (usage) with one sentence for each wrong option; commander's own error for an unknown one.
 */
export function parseOptions(argv: string[]): LocalnetOptions {
  const parsed = optionsSchema.safeParse(command().parse(argv, { from: "user" }).opts());
  if (!parsed.success) {
    const sentences = parsed.error.issues.map((issue) => issue.message);
    throw new PermanentError(sentences.join("\n"), { exitCode: ExitCode.usage });
  }
  const { data, json, ...options } = parsed.data;
  return {
    ...options,
    ...(data === undefined ? {} : { data: resolve(data) }),
    ...(json === undefined ? {} : { json: resolve(json) }),
  };
}
