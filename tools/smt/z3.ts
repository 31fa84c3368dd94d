import { spawnSync } from "node:child_process";
import { FlockError } from "../../protocol/errors.ts";

/** Seconds of the processor that the solver has for one query. */
export const limit = 10;

const options = [
  "-smt2",
  "-in",
  "-memory:2000",
  "smt.arith.solver=2",
  "rewriter.pull_cheap_ite=true",
  "fp.spacer.q3.use_qgen=true",
  "fp.spacer.mbqi=false",
  "fp.spacer.ground_pobs=false",
];

/** The version of the solver. Throws FlockError where there is none. */
export function z3Version(): string {
  const { error, stdout } = spawnSync("z3", ["--version"], { encoding: "utf8" });
  if (error === undefined) return stdout.trim();
  throw new FlockError("The model checker needs the solver z3, which is not here: install Debian's package z3.", {
    cause: error,
  });
}

/** Answers one query of the compiler. Where the time runs out, the answer is unknown. */
export function solve(query: string): { contents: string } {
  // Time of the processor, so that a busy machine proves what an idle one does.
  const command = `ulimit -t ${limit}; exec z3 ${options.join(" ")}`;
  const { status, stdout } = spawnSync("sh", ["-c", command], { input: query, encoding: "utf8", maxBuffer: 2 ** 28 });
  return { contents: status === null ? "unknown\n" : stdout };
}
