import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that some tests need and npm does not bring, with the Debian package that has them. */
const PACKAGES = { "redis-server": "redis-server", chromium: "chromium", z3: "z3" } as const;

/**
 * For the `skip` option of a test: false if the program is on the PATH, else the reason with the package to install.
 * With CI=true nothing is skipped: a missing program throws.
 */
export function requires(program: keyof typeof PACKAGES): string | false {
  const found = (process.env.PATH ?? "").split(delimiter).some((folder) => isExecutable(join(folder, program)));
  if (found) return false;
  const reason = `needs ${program} (Debian package ${PACKAGES[program]})`;
  if (process.env.CI === "true") throw new Error(`A test ${reason}.`);
  return reason;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
