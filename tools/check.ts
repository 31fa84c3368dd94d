import { spawnSync } from "node:child_process";
import { checkImports } from "./check-imports.ts";
import { root } from "./files.ts";

const solidity = ["contracts/**/*.sol", "test/**/*.sol"];

/** What `npm run check` does: each step ends with code 0, or its output is shown. */
const steps: { name: string; run: () => { ok: boolean; output: string } }[] = [
  { name: "imports", run: imports },
  { name: "TypeScript: format and lint", run: () => program("biome", ["check", "--error-on-warnings", "."]) },
  {
    name: "Solidity: format",
    run: () => program("prettier", ["--check", "--no-error-on-unmatched-pattern", ...solidity]),
  },
  {
    name: "Solidity: lint",
    run: () => program("solhint", ["--disc", "--noPoster", "--max-warnings", "0", "contracts/**/*.sol"]),
  },
  { name: "TypeScript: types", run: () => program("tsc", []) },
];

function imports() {
  const problems = checkImports(root);
  return { ok: problems.length === 0, output: problems.join("\n") };
}

function program(command: string, args: string[]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return { ok: status === 0, output: `${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`.trim() };
}

/** Runs every step and shows the output of those that failed. Gives whether all passed. */
export function check(): boolean {
  let passed = true;
  for (const { name, run } of steps) {
    const started = performance.now();
    const { ok, output } = run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${ok ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
    if (!ok) console.log(`\n${output}\n`);
    passed &&= ok;
  }
  return passed;
}

if (import.meta.main) process.exitCode = check() ? 0 : 1;
