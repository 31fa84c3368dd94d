import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../files.ts";
import type { Gap } from "./lines.ts";

/** A file, the text of its line without the indentation, and why no test runs it. */
export type ExplainedGap = { path: string; code: string; why: string };

const file = "tools/coverage/explained.json";

/** The committed explanations. */
export function readExplainedGaps(): ExplainedGap[] {
  return JSON.parse(readFileSync(join(root, file), "utf8")) as ExplainedGap[];
}

/** Gaps without an explanation, and explanations without a gap or a reason: one sentence each. */
export function gapProblems(gaps: readonly Gap[], explained: readonly ExplainedGap[]): string[] {
  const left = [...explained];
  const missing = gaps.filter(({ path, code }) => {
    const k = left.findIndex((other) => other.path === path && other.code === code);
    if (k >= 0) left.splice(k, 1);
    return k < 0;
  });
  return [
    ...missing.map(({ path, line, code }) => `${path}:${line} is run by no test: ${code}`),
    ...left.map(({ path, code }) => `${file} explains a line of ${path} that is run or gone: ${code}`),
    ...explained
      .filter(({ why }) => !/^\S.{19,}\.$/.test(why))
      .map(({ path, code }) => `${file} has no sentence that says why no test runs, in ${path}: ${code}`),
  ];
}
