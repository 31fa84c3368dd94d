import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { sourceFiles } from "./files.ts";

/** Which rooms each room may import from; a room not named here may import anything but tests. */
const mayImport: Record<string, readonly string[]> = {
  protocol: ["protocol"],
  learning: ["protocol", "learning"],
  audit: ["protocol", "learning", "audit"],
  workers: ["protocol", "learning", "audit", "workers", "ignition"],
};

/** Rooms that may import from `test` (its `support` folder). */
const mayImportTests: readonly string[] = ["test", "bench"];

/** What of Node the pure rules may use: they read and write nothing. */
const pureModules: readonly string[] = ["node:crypto", "node:buffer"];

type Import = { from: string; to: string; line: number };

const statement =
  /^[ \t]*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|^[ \t]*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

/** The modules that the text of a file names, with their lines. */
export function importsOf(text: string): { name: string; line: number }[] {
  return [...text.matchAll(statement)].map((match) => ({
    name: match[1] ?? match[2] ?? match[3] ?? "",
    line: text.slice(0, match.index).split("\n").length + match[0].split("\n").length - 1,
  }));
}

/**
 * Every way in which the files (path from the root to text) break the order of the rooms: an import against it, a
 * cycle, or a pure rule that can read or write. One sentence each.
 */
export function importProblems(files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const graph = new Map<string, Import[]>();
  for (const [from, text] of files) {
    const edges: Import[] = [];
    for (const { name, line } of importsOf(text)) {
      if (!name.startsWith(".")) {
        if (roomOf(from) === "protocol" && name.startsWith("node:") && !pureModules.includes(name)) {
          problems.push(`${from}:${line} imports ${name}, but protocol is pure: no input or output.`);
        }
        continue;
      }
      const to = join(dirname(from), name);
      if (!isAllowed(roomOf(from), roomOf(to))) {
        problems.push(`${from}:${line} imports ${to}, but ${roomOf(from)} may not import from ${roomOf(to)}.`);
      }
      if (files.has(to)) edges.push({ from, to, line });
    }
    graph.set(from, edges);
  }
  return [...problems, ...cycles(graph)];
}

function roomOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : ".";
}

function isAllowed(from: string, to: string): boolean {
  if (to === "test") return mayImportTests.includes(from);
  return mayImport[from]?.includes(to) ?? true;
}

/** One sentence for each import that closes a circle, found by walking depth first. */
function cycles(graph: ReadonlyMap<string, Import[]>): string[] {
  const problems: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    path.push(file);
    for (const { to, line } of graph.get(file) ?? []) {
      const start = path.indexOf(to);
      if (start >= 0) problems.push(`${file}:${line} closes a circle: ${[...path.slice(start), to].join(" -> ")}.`);
      else if (!done.has(to)) visit(to);
    }
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) if (!done.has(file)) visit(file);
  return problems;
}

/** The problems of the tree at `root`, read from disk. */
export function checkImports(root: string): string[] {
  const paths = sourceFiles(root, (path) => path.endsWith(".ts") || path.endsWith(".mjs"));
  return importProblems(new Map(paths.map((path) => [relative(root, path), readFileSync(path, "utf8")])));
}
