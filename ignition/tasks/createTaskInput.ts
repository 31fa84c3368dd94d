import { readFile } from "node:fs/promises";
import { parseUnits } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { findDuplicateKey, parseJson } from "../../protocol/json.ts";
import { parseManifest } from "../../protocol/manifest.ts";
import { parseTerms } from "../../protocol/terms.ts";
import type { NewTask } from "./createTask.ts";

export type CreateTaskArguments = {
  manifest?: string | undefined;
  terms?: string | undefined;
  seatStake?: string | undefined;
  deposit?: string | undefined;
};

/**
 * The task that the command line and its files describe.
 * @throws PermanentError: usage for a wrong option, bad input (one line for each wrong field) for a wrong file.
 */
export async function readNewTask(options: CreateTaskArguments): Promise<NewTask> {
  if (options.manifest === undefined) throw usage("Name the task's recipe with --manifest FILE.");
  if (options.deposit === undefined) {
    throw usage("Say with --deposit how many FLK to put in the task's pot (0 to fund it later).");
  }
  const deposit = parseAmount("--deposit", options.deposit);
  const manifest = parseManifest(await read("manifest", options.manifest), options.manifest);
  return { manifest, terms: parseTerms(await readTerms(options)), deposit };
}

async function readTerms({ terms: file, seatStake }: CreateTaskArguments): Promise<unknown> {
  const terms = file === undefined ? {} : parseOnce(await read("terms", file), file);
  if (seatStake !== undefined) {
    if (isRecord(terms) && "seatStake" in terms) {
      throw usage(`The stake of a seat is given twice: by --seat-stake and as seatStake in ${file}.`);
    }
    const wei = parseAmount("--seat-stake", seatStake).toString();
    return isRecord(terms) ? { ...terms, seatStake: wei } : terms;
  }
  if (file === undefined) throw usage("Say with --seat-stake how many FLK a seat puts at risk.");
  return terms;
}

/**
 * FLK from decimal text, in wei.
 * @throws PermanentError (usage) naming the option.
 */
export function parseAmount(option: string, text: string): bigint {
  if (!/^\d{1,11}(\.\d{1,18})?$/.test(text)) {
    throw usage(`${option} is "${text}", but must be an amount of FLK such as 100 or 0.5.`);
  }
  return parseUnits(text, 18);
}

async function read(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (cause as Error).message;
    throw new PermanentError(`The ${what} ${file} cannot be read: ${reason}.`, { cause });
  }
}

function parseOnce(text: string, file: string): unknown {
  const json = parseJson(text, { what: `The terms file ${file}` });
  const twice = findDuplicateKey(text);
  if (twice !== undefined) throw new PermanentError(`The terms ${file} have the key "${twice}" twice.`);
  return json;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function usage(message: string): PermanentError {
  return new PermanentError(message, { exitCode: ExitCode.usage });
}
