import { spawnSync } from "node:child_process";
import { root } from "./files.ts";

/** Rewrites every source file in the one format, and mends the lint that can be mended safely. */
const commands = [
  ["biome", "check", "--write", "."],
  [
    "prettier",
    "--write",
    "--log-level",
    "warn",
    "--no-error-on-unmatched-pattern",
    "contracts/**/*.sol",
    "test/**/*.sol",
  ],
];
for (const [command = "", ...args] of commands) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
