import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../tools/files.ts";

/** A row of the tables of docs/threats.md. */
export type ThreatRow = {
  ids: string[];
  /** Empty in the table of what always holds. */
  answeredBy: string[];
  /** "attacks/Votes#test_T10_...": a file below test/ and how the name of a test in it begins. */
  tests: string[];
};

/** The numbered rows of every table of the page. */
export function threatRows(page: string): ThreatRow[] {
  return page.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    const ids = (cells[1] ?? "").split(", ");
    if (!line.startsWith("|") || !ids.every((id) => /^[TFPI]\d+b?$/.test(id))) return [];
    const tests = [...(cells.at(-2) ?? "").matchAll(/`([^`]+)`/g)].map(([, test = ""]) => test);
    return [{ ids, answeredBy: cells.length > 5 ? (cells[3] ?? "").split(", ") : [], tests }];
  });
}

/** Why a test that a page names is not there, or not clear; undefined if there is exactly one. */
export function problemOf(test: string): string | undefined {
  const [path = "", name = ""] = test.split("#");
  const isSolidity = /^(test|invariant)_/.test(name);
  const file = join(root, "test", isSolidity ? `contracts/${path}.t.sol` : `${path}.test.ts`);
  if (!existsSync(file)) return `there is no ${file}`;
  const source = readFileSync(file, "utf8");
  const found = isSolidity
    ? [...source.matchAll(/function (\w+)\(/g)].filter(([, found]) => found === name)
    : namesIn(source).filter((found) => found.startsWith(name));
  return found.length === 1 && name !== "" ? undefined : `${found.length} tests of ${path} begin with "${name}"`;
}

/** Names of tests, in a source that gives them as literals. */
function namesIn(source: string): string[] {
  const calls = /\b(?:test|it)\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;
  return [...source.matchAll(calls)].map(([, quoted, template]) => (quoted ?? template ?? "").replaceAll('\\"', '"'));
}
