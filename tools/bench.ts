import { readdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { ExitCode, FlockError } from "../protocol/errors.ts";
import { fromCaller, root } from "./files.ts";

/** One measured number; `target` is what it should reach, in words. */
export type Measurement = { name: string; value: number; unit: string; target?: string | undefined };

/** What a bench says in the place of a list of numbers: lines to print as they are, and the whole of the JSON file. */
export type Report = { lines: readonly string[]; json: Record<string, unknown> };

/** Values of a bench's own options, by name. */
export type OptionValues = Record<string, string | boolean | undefined>;

/**
 * What a file of `bench` exports: the bench itself, and its own options if it takes any. A bench refuses a wrong value
 * with a FlockError of exit code `usage`.
 */
export type BenchModule = {
  default: (options: OptionValues) => Promise<Measurement[] | Report>;
  options?: Record<string, { type: "string" | "boolean" }> | undefined;
};

const folder = join(root, "bench");

/** `npm run bench NAME [-- --json FILE]`: runs bench/NAME.ts and prints its numbers with the machine they were taken on. */
async function main(): Promise<void> {
  const name = parseArgs({ options: { json: { type: "string" } }, strict: false }).positionals[0];
  const known = readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => basename(file, ".ts"))
    .sort();
  if (name === undefined || !known.includes(name)) {
    const wrong = name === undefined ? "" : `There is no bench "${name}". `;
    throw usage(`${wrong}npm run bench NAME [-- --json FILE], where NAME is one of: ${known.join(", ")}.`);
  }
  const bench = (await import(join(folder, `${name}.ts`))) as BenchModule;
  const { json, ...options } = readOptions(name, bench.options ?? {});
  const started = performance.now();
  const result = await bench.default(options);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const machine = `${cpus()[0]?.model.trim() ?? process.arch}, ${availableParallelism()} cores, Node ${process.versions.node}`;

  console.log(`${name} on ${machine} (${seconds} s)`);
  const isList = Array.isArray(result);
  for (const line of isList ? linesOf(result) : result.lines) console.log(line);
  if (typeof json !== "string") return;
  const all = isList ? { name, machine, at: new Date().toISOString(), seconds, measurements: result } : result.json;
  writeFileSync(fromCaller(json), `${JSON.stringify(all, null, 2)}\n`);
}

function linesOf(measurements: readonly Measurement[]): string[] {
  const width = Math.max(...measurements.map((measurement) => measurement.name.length));
  return measurements.map(({ name, value, unit, target }) => {
    const number = value.toLocaleString("en-US", { maximumFractionDigits: 3 });
    return `  ${name.padEnd(width)}  ${number.padStart(14)} ${unit}${target === undefined ? "" : ` (${target})`}`;
  });
}

function readOptions(bench: string, own: NonNullable<BenchModule["options"]>): OptionValues {
  const options = { ...own, json: { type: "string" } } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length > 1) throw new Error(`"${positionals[1]}" belongs to no option`);
    return values as OptionValues;
  } catch (error) {
    const reason = (error as Error).message.split(/\. |\n/)[0];
    const names = Object.keys(options).map((option) => `--${option}`);
    throw usage(`${reason}; the options of bench ${bench} are ${names.join(", ")}.`);
  }
}

function usage(message: string): FlockError {
  return new FlockError(message, { exitCode: ExitCode.usage });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof FlockError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
process.exit(); // A bench may leave a chain or threads.
