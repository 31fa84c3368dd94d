import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../files.ts";
import type { Result } from "./prove.ts";

const file = "tools/smt/proved.json";

/** The names of the properties that are proved, as committed. */
export function readProved(): string[] {
  return JSON.parse(readFileSync(join(root, file), "utf8")) as string[];
}

/** What differs from the list of what is proved, one sentence each; a refuted property is always wrong. */
export function provedProblems(results: readonly Result[], proved: readonly string[]): string[] {
  const names = new Set(results.map(({ name }) => name));
  return [
    ...results.flatMap(({ name, answer }) => {
      const isListed = proved.includes(name);
      if (answer === "refuted") return [`${name} is refuted: the contracts or the property are wrong.`];
      if (isListed && answer !== "proved") return [`${name} is not proved any more.`];
      return isListed || answer !== "proved" ? [] : [`${name} is proved: add it to ${file}.`];
    }),
    ...proved.filter((name) => !names.has(name)).map((name) => `${file} names ${name}, which is no property.`),
  ];
}
