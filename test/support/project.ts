import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export type Project = {
  dir: string;
  write(path: string, text: string): Promise<void>;
  /** Runs a program in the project and waits for its end. */
  run(command: string, args: string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
};
export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

/** A folder of its own with copies of `paths` of this repository and its packages, so that a test writes nothing here. */
export async function makeProject(t: { after(work: () => Promise<void>): void }, paths: string[]): Promise<Project> {
  const dir = await mkdtemp(join(tmpdir(), "flock-project-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  for (const path of paths) await cp(join(root, path), join(dir, path), { recursive: true, filter: isSource });
  await symlink(join(root, "node_modules"), join(dir, "node_modules"));
  return {
    dir,
    async write(path, text) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), text);
    },
    run: (command, args, env) => runProgram(command, args, { cwd: dir, env }),
  };
}

function isSource(path: string): boolean {
  return !/node_modules|deployments/.test(path.slice(root.length));
}

/** Runs a program to its end. `env` is added to this process's own; undefined takes a variable away. */
export function runProgram(
  command: string,
  args: string[],
  { cwd, env = {} }: { cwd: string; env?: NodeJS.ProcessEnv | undefined },
): Promise<Ended> {
  // Left by the runner of this test: it would make a runner inside refuse to run.
  const environment = { ...process.env, NODE_TEST_CONTEXT: undefined, NO_COLOR: "1", ...env };
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", fail);
    child.on("close", (code, signal) => done({ code, signal, stdout, stderr }));
  });
}
