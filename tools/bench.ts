import { readdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ExitCode, FlockError } from "../protocol/errors.ts";
import { root } from "./files.ts";

/** One measured number; `target` is what it should reach, in words. */
export type Measurement = { name: string; value: number; unit: string; target?: string | undefined };

/** What a file of `bench` exports as its default. */
export type Bench = () => Promise<Measurement[]>;

const folder = join(root, "bench");

/** `npm run bench NAME [-- --json FILE]`: runs bench/NAME.ts and prints its numbers with the machine they were taken on. */
async function main(): Promise<void> {
  const { name, json } = readArguments();
  const known = readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => basename(file, ".ts"))
    .sort();
  if (name === undefined || !known.includes(name)) {
    const wrong = name === undefined ? "" : `There is no bench "${name}". `;
    throw usage(`${wrong}npm run bench NAME [-- --json FILE], where NAME is one of: ${known.join(", ")}.`);
  }
  const { default: bench } = (await import(join(folder, `${name}.ts`))) as { default: Bench };
  const started = performance.now();
  const measurements = await bench();
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const machine = `${cpus()[0]?.model.trim() ?? process.arch}, ${availableParallelism()} cores, Node ${process.versions.node}`;

  console.log(`${name} on ${machine} (${seconds} s)`);
  const width = Math.max(...measurements.map((measurement) => measurement.name.length));
  for (const { name: what, value, unit, target } of measurements) {
    const number = value.toLocaleString("en-US", { maximumFractionDigits: 3 });
    console.log(`  ${what.padEnd(width)}  ${number.padStart(14)} ${unit}${target === undefined ? "" : ` (${target})`}`);
  }
  if (json !== undefined) {
    writeFileSync(
      json,
      `${JSON.stringify({ name, machine, at: new Date().toISOString(), seconds, measurements }, null, 2)}\n`,
    );
  }
}

function readArguments(): { name: string | undefined; json: string | undefined } {
  try {
    const { values, positionals } = parseArgs({ options: { json: { type: "string" } }, allowPositionals: true });
    const json = values.json === undefined ? undefined : resolve(process.env.INIT_CWD ?? ".", values.json);
    return { name: positionals[0], json };
  } catch (error) {
    throw usage((error as Error).message);
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
