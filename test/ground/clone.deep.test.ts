import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { root } from "../../tools/files.ts";
import { isNewEnough } from "../../tools/packages.mjs";
import { runProgram } from "../support/project.ts";

/** A Node on the PATH that is too old to run Flock by itself: what a Debian of today has. */
function findOldNode(): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const node = join(folder, "node");
    if (!existsSync(node)) continue;
    const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
    if (stdout !== "" && !isNewEnough(stdout.trim())) return node;
  }
  return undefined;
}

const oldNode = findOldNode();
const skip = oldNode === undefined && "needs a Node older than 22.18 on the PATH (Debian package nodejs)";
/** The PATH of someone who has only that Node: nothing of this tree, which the test's own start has put first. */
const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(root));
const env = { PATH: [dirname(oldNode ?? ""), ...path].join(delimiter), npm_execpath: undefined };
const nativePart = "node_modules/@nomicfoundation/edr";

async function clone(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "flock-clone-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const { code, stderr } = await runProgram("git", ["clone", "--quiet", root, dir], { cwd: tmpdir() });
  assert.equal(code, 0, stderr);
  return dir;
}

async function works(dir: string): Promise<void> {
  const build = await runProgram("npm", ["run", "build"], { cwd: dir, env });
  assert.equal(build.code, 0, `${build.stdout}${build.stderr}`);
  const { stdout } = await runProgram("npx", ["node", "--version"], { cwd: dir, env });
  assert.ok(isNewEnough(stdout.trim()), `npx runs Node ${stdout}`);
  const version = await runProgram("npx", ["hardhat", "--version"], { cwd: dir, env });
  assert.match(version.stdout, /^3\./);
}

test("a fresh clone works when an old Node starts it", { skip }, async (t) => {
  await works(await clone(t));
});

test("a tree that plain npm ci left without Hardhat's native part under an old Node is mended", { skip }, async (t) => {
  const dir = await clone(t);
  const { code, stderr } = await runProgram("npm", ["ci"], { cwd: dir, env });
  assert.equal(code, 0, stderr);
  const { platform, arch } = process;
  const folder = `${nativePart}-${platform}-${arch}${platform === "linux" ? "-gnu" : ""}`;
  assert.equal(existsSync(join(dir, folder)), false, "npm has learned to install it: this mending can go");
  await works(dir);
});
