import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { ExitCode, FlockError } from "../../protocol/errors.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean", default: false } as const;

/** The options of `npm run test:mutation`; docs/assurance.md says what they do. */
export const mutationOptions = {
  sample: text,
  seed: { ...text, default: "1" },
  only: text,
  list: flag,
  resume: flag,
  json: text,
} as const;

const usage =
  "Usage: npm run test:mutation [-- [--sample N] [--seed S] [--only CONTRACT] [--list] [--resume] [--json FILE]]";

/** Reads the command line. Throws FlockError. */
export function readArguments() {
  try {
    const { values } = parseArgs({ options: mutationOptions });
    const sample = values.sample === undefined ? undefined : Number(values.sample);
    if (sample !== undefined && !(Number.isInteger(sample) && sample > 0)) {
      throw new Error(`--sample takes a number of mutants, not ${values.sample}.`);
    }
    const json = values.json === undefined ? undefined : resolve(process.env.INIT_CWD ?? ".", values.json);
    return { ...values, sample, json };
  } catch (error) {
    throw new FlockError(`${(error as Error).message}\n${usage}`, { cause: error, exitCode: ExitCode.usage });
  }
}
