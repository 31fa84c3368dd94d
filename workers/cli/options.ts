import { Command } from "commander";
import { type Address, getAddress, isAddress, parseUnits } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { type AccountConfig, type OperatorConfig, readAccountConfig, readConfig } from "../config.ts";

/** Options of every verb that speaks for an operator. */
export type OperatorOptions = { config: string; task?: string | undefined; json?: boolean | undefined };
/** Options of every verb that signs. */
export type SigningOptions = OperatorOptions & { yes?: boolean | undefined };

/** A verb that reads an operator's configuration. */
export function operatorVerb(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption("--config <file>", "the operator's configuration (JSON)")
    .option("--task <number>", "another task than the configuration's")
    .option("--json", "print JSON")
    .addHelpText("after", `\nExample:\n  ${example}`);
}

/** A verb that signs: it says first what it will do and cost, and asks. */
export function signingVerb(name: string, description: string, example: string): Command {
  return operatorVerb(name, description, example).option("--yes", "sign without being asked");
}

/** The configuration with the task that the command line names. */
export async function configOf({ config: file, task }: OperatorOptions): Promise<OperatorConfig> {
  return withTask(await readConfig(file), task);
}

/** The same for a verb that needs no model and no data; `operator` names another than the configuration's. */
export async function accountConfigOf(options: OperatorOptions & { operator?: string }): Promise<AccountConfig> {
  const config = withTask(await readAccountConfig(options.config), options.task);
  return options.operator === undefined
    ? config
    : { ...config, operator: parseAddress("--operator", options.operator) };
}

function withTask<C extends { task: bigint }>(config: C, task: string | undefined): C {
  if (task === undefined) return config;
  if (!/^[1-9][0-9]{0,18}$/.test(task)) throw usage(`--task must be the number of a task, but is "${task}".`);
  return { ...config, task: BigInt(task) };
}

/** An address that an option gives. */
export function parseAddress(option: string, text: string): Address {
  if (!isAddress(text, { strict: false })) throw usage(`${option} must be an address: 0x and 40 hex digits.`);
  return getAddress(text.toLowerCase());
}

/** An amount of tokens, such as "200" or "0.5", in the token's smallest unit. */
export function parseAmount(text: string, decimals: number): bigint {
  if (!/^[0-9]{1,20}(\.[0-9]{1,18})?$/.test(text) || (text.split(".")[1] ?? "").length > decimals) {
    throw usage(`--amount must be a number of tokens with at most ${decimals} decimals, but is "${text}".`);
  }
  const amount = parseUnits(text, decimals);
  if (amount === 0n) throw usage("--amount must be more than nothing.");
  return amount;
}

export function usage(message: string): PermanentError {
  return new PermanentError(message, { exitCode: ExitCode.usage });
}
