// The launcher: `node tools/with-node.mjs COMMAND ...` brings Node 24 and complete packages if they are not there,
// then runs COMMAND (a program of node_modules/.bin, or a .ts or .mjs file of this repository) on that Node.
// Plain JavaScript of Node 18, because that may be what starts it.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readlinkSync, realpathSync, renameSync, symlinkSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, relative, resolve } from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import { withLock } from "./lock.mjs";
import { fetchNode, fetchPackages, findNode, packagesProblem, SetupError } from "./packages.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Prepares the tree and runs `argv` in it; this process then ends the way that one does. */
export function launch(argv) {
  let node;
  try {
    node = prepare();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  const bin = join(root, "node_modules", ".bin");
  process.env.PATH = [bin, dirname(node), process.env.PATH ?? ""].join(delimiter);

  const [command = "", ...rest] = argv;
  if (/\.[cm]?[jt]s$/.test(command)) {
    // node:sqlite, and in Node 22 TypeScript itself, would announce on every start that they are young.
    run(node, ["--disable-warning=ExperimentalWarning", resolve(root, command), ...rest]);
  } else if (command === "") {
    process.stderr.write("Say what to run: node tools/with-node.mjs COMMAND [ARGUMENTS]\n");
    process.exit(2);
  } else {
    run(command, rest);
  }
}

/** The path of a Node that is new enough, with the packages complete and linked. Throws SetupError. */
function prepare() {
  let node = findNode(root);
  if (node === undefined || packagesProblem(root) !== undefined) {
    const say = (holder) => process.stderr.write(`Waiting for process ${holder}, which is installing here ...\n`);
    node = withLock(join(root, ".flock", "setup.lock"), fetchWhatIsMissing, say);
  }
  linkCommands(node);
  return node;
}

/** Looks again, since another process may have done it while this one waited. */
function fetchWhatIsMissing() {
  const node = findNode(root) ?? fetchNode(root);
  const problem = packagesProblem(root);
  if (problem !== undefined) fetchPackages(root, node, problem);
  return node;
}

/** Links `node` and `flockctl` into node_modules/.bin, so that `npx` finds this Node and this command. */
function linkCommands(node) {
  if (process.platform === "win32") return; // A link needs a privilege there; the PATH above does without.
  const bin = join(root, "node_modules", ".bin");
  mkdirSync(bin, { recursive: true });
  link(join(root, "tools", "flockctl.mjs"), join(bin, "flockctl"));
  // A Node of the system's own is found without a link.
  if (node.startsWith(join(root, "tools"))) link(node, join(bin, "node"));
}

function link(target, path) {
  const to = relative(dirname(path), target);
  try {
    if (readlinkSync(path) === to) return;
  } catch {
    // Not there yet, or not a link.
  }
  const fresh = `${path}.${process.pid}`;
  symlinkSync(to, fresh);
  renameSync(fresh, path); // In one step, for others may be starting through it.
}

function run(command, args) {
  const child = spawn(command, args, { stdio: "inherit", shell: process.platform === "win32" });
  const forward = (signal) => {
    // A terminal sends Ctrl-C to every process in front of it: the child has it already.
    if (signal === "SIGINT" && isatty(0)) return;
    child.kill(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);

  child.on("error", (error) => {
    const reason = error.code === "ENOENT" ? "there is no such command" : error.message;
    process.stderr.write(`${command} cannot be started: ${reason}.\n`);
    process.exit(127);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    // Where that did not end us, the shell's convention says the same.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

const started = process.argv[1];
if (started !== undefined && existsSync(started) && realpathSync(started) === fileURLToPath(import.meta.url)) {
  launch(process.argv.slice(2));
}
