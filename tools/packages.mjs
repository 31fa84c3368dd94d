// Brings what Flock runs on: the right Node and complete packages. Plain JavaScript of Node 18, without packages of
// its own, because it is what runs before there are any.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";

/** What went wrong, in one sentence that the user can act on. */
export class SetupError extends Error {}

/** Whether Node `version` runs TypeScript as it is (22.18, or 23.6 in the odd line) and is one that Hardhat takes. */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  if (major === 22) return minor >= 18;
  if (major === 23) return minor >= 6;
  return major > 23;
}

/**
 * Why `root` needs `npm ci`, or undefined if its packages are those of the lockfile. Compares the lockfile with the
 * record that npm leaves of what it installed, so a tree that someone installed by hand counts, and one left half
 * installed does not.
 * @param {string} root
 * @param {{ os: string, cpu: string, libc?: string | undefined }} platform the machine in npm's words
 */
export function packagesProblem(root, platform = thisPlatform()) {
  const locked = readJson(join(root, "package-lock.json"))?.packages;
  if (locked === undefined) {
    throw new SetupError(`${join(root, "package-lock.json")} is missing or not JSON; restore it from the repository.`);
  }
  const installed = readJson(join(root, "node_modules", ".package-lock.json"))?.packages;
  if (installed === undefined) return "there are none yet";

  for (const [path, { version, optional }] of Object.entries(locked)) {
    const present = installed[path];
    if (path === "" || (present === undefined && optional)) continue;
    if (present?.version !== version) return `${basename(path)} is not the one of the lockfile`;
  }
  // npm under a Node that is too old for Hardhat's native part leaves it out and still says that all went well.
  for (const [path, entry] of Object.entries(locked)) {
    if (!path.startsWith("node_modules/@nomicfoundation/edr-") || !fits(entry, platform)) continue;
    if (!existsSync(join(root, path, "package.json"))) return "Hardhat's native part is missing";
  }
  return undefined;
}

function fits({ os, cpu, libc }, platform) {
  const has = (list, value) => list === undefined || [list].flat().includes(value);
  return has(os, platform.os) && has(cpu, platform.cpu) && (platform.libc === undefined || has(libc, platform.libc));
}

/** This machine in npm's words; `libc` only on Linux. */
function thisPlatform() {
  const { platform: os, arch: cpu } = process;
  if (os !== "linux") return { os, cpu };
  process.report.excludeNetwork = true; // It would ask the network for names, and take its time.
  return { os, cpu, libc: process.report.getReport().header.glibcVersionRuntime ? "glibc" : "musl" };
}

/**
 * The Node to run on, as a path: this one if it is new enough, else the one in `tools/node`; undefined if that one
 * is yet to be fetched.
 */
export function findNode(root) {
  if (isNewEnough(process.version)) return process.execPath;
  const stage = join(root, "tools", "node");
  if (packagesProblem(stage) !== undefined) return undefined;
  const packages = join(stage, "node_modules");
  for (const name of readdirSync(packages)) {
    const executable = join(packages, name, "bin", process.platform === "win32" ? "node.exe" : "node");
    const entry = readJson(join(packages, name, "package.json"));
    if (entry !== undefined && isNewEnough(entry.version) && fits(entry, thisPlatform()) && existsSync(executable)) {
      return executable;
    }
  }
  return undefined;
}

/** Fetches a Node into `tools/node` and gives its path. Throws SetupError. */
export function fetchNode(root) {
  npmCi(join(root, "tools", "node"), `Fetching Node 24 for this folder, since this one is ${process.version} ...`);
  const node = findNode(root);
  if (node !== undefined) return node;
  const machine = `${process.platform}-${process.arch}`;
  throw new SetupError(`There is no Node package for ${machine}; install Node 24 and run this again.`);
}

/** Installs the packages of `root` with npm running on `node`, which decides what npm leaves out. Throws SetupError. */
export function fetchPackages(root, node, reason) {
  npmCi(root, `Installing packages, since ${reason} (about a minute) ...`, node);
  const problem = packagesProblem(root);
  if (problem !== undefined) {
    throw new SetupError(`npm ci ended well, but ${problem}; remove node_modules and run this again.`);
  }
}

function npmCi(folder, message, node = process.execPath) {
  process.stderr.write(`${message}\n`);
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` };
  // Left by the npm that started us; they would make this one work in that folder.
  for (const name of ["npm_config_local_prefix", "npm_config_prefix", "INIT_CWD"]) delete env[name];

  // Said here, since `npm run --silent` would silence this npm too, and its errors are needed below.
  const args = ["ci", "--include=dev", "--include=optional", "--ignore-scripts", "--loglevel=error"];
  const npmScript = process.env.npm_execpath ?? "";
  const isNpm = /^npm-cli\.c?js$/.test(basename(npmScript)) && existsSync(npmScript);
  const options = { cwd: folder, env, encoding: "utf8", maxBuffer: 2 ** 26 };
  const { error, status, signal, stdout, stderr } = isNpm
    ? spawnSync(node, [npmScript, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });

  if (error?.code === "ENOENT") throw new SetupError("npm is not on the PATH; install npm and run this again.");
  if (error) throw new SetupError(`npm cannot be started: ${error.message}.`);
  if (signal) throw new SetupError(`npm ci was interrupted (${signal}); run this again.`);
  if (status !== 0) throw new SetupError(npmFailure(folder, `${stderr}\n${stdout}`));
}

const noNetwork =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED)$/;

function npmFailure(folder, output) {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(output)?.[1] ?? "an error";
  if (noNetwork.test(code)) {
    return `The packages cannot be fetched, for the npm registry does not answer (${code}); connect and run this again.`;
  }
  const lines = output.split("\n").map((line) => /^npm (?:error|ERR!) (?!code )(.*\S)/.exec(line)?.[1]);
  const details = lines.find((line) => line !== undefined);
  return `npm ci failed in ${folder} (${code}${details ? `: ${details}` : ""}); run it there to see all of it.`;
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
