import { ExitCode, PermanentError } from "../errors.ts";
import type { FlockEvent } from "./events.ts";

/** The first event that cannot have happened, or says something else than the rules. */
export class ReplayError extends PermanentError {
  readonly event: string;
  readonly what: string;
  readonly block: bigint;
  readonly logIndex: number;
  readonly expected: unknown;
  readonly found: unknown;

  constructor(event: FlockEvent, what: string, expected: unknown, found: unknown) {
    const place = `${event.name} in block ${event.blockNumber}, log ${event.logIndex}`;
    super(`${place}: ${what}: expected ${show(expected)}, found ${show(found)}.`, { exitCode: ExitCode.difference });
    this.event = event.name;
    this.what = what;
    this.block = event.blockNumber;
    this.logIndex = event.logIndex;
    this.expected = expected;
    this.found = found;
  }
}

/** A value in a message: wei without the `n`, at most a few hundred characters. */
export function show(value: unknown): string {
  if (typeof value === "string" || typeof value === "bigint") return String(value);
  const text =
    JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part)) ?? "nothing";
  return text.length > 400 ? `${text.slice(0, 400)}...` : text;
}

/** Whether two values of events are the same: numbers, bigints, strings, booleans, and lists and records of them. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

/** @throws ReplayError unless `found` equals `expected`. */
export function check(event: FlockEvent, what: string, expected: unknown, found: unknown): void {
  if (!same(expected, found)) throw new ReplayError(event, what, expected, found);
}

/** @throws ReplayError unless the rule holds. */
export function demand(event: FlockEvent, holds: boolean, rule: string, found: unknown): asserts holds {
  if (!holds) throw new ReplayError(event, "the rules refuse it", rule, found);
}
