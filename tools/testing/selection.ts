import { existsSync, statSync } from "node:fs";
import { resolve, sep } from "node:path";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { root, sourceFiles } from "../files.ts";

/** `quick` leaves out what takes more than seconds; `deep` adds what takes minutes. */
export type Depth = "quick" | "normal" | "deep";

/** Absolute paths. `journeys` take the whole machine, so they run one at a time. */
export type Selection = { solidity: string[]; units: string[]; journeys: string[] };

const journeysFolder = resolve(root, "test", "journeys") + sep;

/** Whether a TypeScript test file belongs to a run of this depth. */
export function isIncluded(file: string, depth: Depth): boolean {
  if (file.endsWith(".deep.test.ts")) return depth === "deep";
  if (depth !== "quick") return true;
  return !file.endsWith(".slow.test.ts") && !file.startsWith(journeysFolder);
}

/**
 * The test files of a run: all of them, or those at or below `paths` (relative to `from`, else to the root). A file named
 * by its own path runs at any depth.
 * @throws PermanentError for a path that is not there or has no tests.
 */
export function selectTests({ depth, paths, from }: { depth: Depth; paths: string[]; from: string }): Selection {
  const all = sourceFiles(resolve(root, "test"), (path) => path.endsWith(".test.ts") || path.endsWith(".t.sol"));
  const chosen = new Set<string>();
  if (paths.length === 0) for (const file of all) if (isIncluded(file, depth)) chosen.add(file);
  for (const path of paths) {
    const target = [resolve(from, path), resolve(root, path)].find((candidate) => existsSync(candidate));
    if (target === undefined) throw usage(`There is no ${path}; name a test file or a folder of tests.`);
    const below = statSync(target).isDirectory()
      ? all.filter((file) => file.startsWith(target + sep) && isIncluded(file, depth))
      : all.filter((file) => file === target);
    if (below.length === 0) throw usage(`${path} has no tests; test files end in .test.ts or .t.sol, below test/.`);
    for (const file of below) chosen.add(file);
  }
  const typescript = [...chosen].filter((file) => file.endsWith(".ts"));
  return {
    solidity: [...chosen].filter((file) => file.endsWith(".t.sol")),
    units: typescript.filter((file) => !file.startsWith(journeysFolder)),
    journeys: typescript.filter((file) => file.startsWith(journeysFolder)),
  };
}

function usage(message: string): PermanentError {
  return new PermanentError(message, { exitCode: ExitCode.usage });
}
