import { ExitCode, FlockError } from "../../protocol/errors.ts";
import type { OptionValues } from "../../tools/bench.ts";

/** A whole number that an option gives. @throws FlockError (usage) if it is none between the bounds. */
export function wholeOption(given: OptionValues, name: string, otherwise: number, least: number, most: number): number {
  const value = given[name] === undefined ? otherwise : Number(given[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw usage(`--${name} must be a whole number from ${least} to ${most}, but is "${given[name]}".`);
}

export function usage(message: string): FlockError {
  return new FlockError(message, { exitCode: ExitCode.usage });
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}
