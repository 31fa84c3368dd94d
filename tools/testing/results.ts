import { relative } from "node:path";
import { root } from "../files.ts";

export type Skip = { file: string; name: string; reason: string };

/** What a group of tests came to, as counted by its own runner. */
export type Results = { passed: number; failed: number; skips: Skip[] };

export function noResults(): Results {
  return { passed: 0, failed: 0, skips: [] };
}

export function sumResults(all: readonly Results[]): Results {
  return {
    passed: all.reduce((sum, { passed }) => sum + passed, 0),
    failed: all.reduce((sum, { failed }) => sum + failed, 0),
    skips: all.flatMap(({ skips }) => skips),
  };
}

/** Path of a file as the user would type it. */
export function shortPath(file: string): string {
  return relative(root, file);
}

/** The lines that name every skip, the tests of one file with one reason on one line. */
export function skipLines(skips: readonly Skip[]): string[] {
  const groups = new Map<string, number>();
  for (const { file, reason } of skips) {
    const line = `${shortPath(file)}: ${reason}`;
    groups.set(line, (groups.get(line) ?? 0) + 1);
  }
  return [...groups].map(([line, count]) => `skipped ${count} in ${line}`);
}
