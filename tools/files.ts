import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A path as whoever typed it means it: npm runs scripts in the root, wherever it was called. */
export function fromCaller(path: string): string {
  return resolve(process.env.INIT_CWD ?? ".", path);
}

/** Folders that hold nothing written by hand. */
const generated = new Set(["node_modules", "artifacts", "cache", "coverage"]);

/** The files below `folder` for which `wanted(path)` holds, sorted; hidden and generated folders are left out. */
export function sourceFiles(folder: string, wanted: (path: string) => boolean): string[] {
  const found: string[] = [];
  const walk = (current: string, depth: number): void => {
    for (const entry of readdirSync(current, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = join(current, entry.name);
      // Only at the top and as packages: a room may have an `artifacts` folder of its own.
      const skipped = generated.has(entry.name) && (depth === 0 || entry.name === "node_modules");
      if (entry.isDirectory() && !skipped) walk(path, depth + 1);
      else if (entry.isFile() && wanted(path)) found.push(path);
    }
  };
  walk(folder, 0);
  return found.sort();
}
