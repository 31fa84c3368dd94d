import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { root } from "../../tools/files.ts";
import { runProgram } from "../support/project.ts";

const bare = { npm_execpath: undefined, npm_config_offline: "true" };

/** A small project with the launcher and one package of its own, which npm installs without a network. */
async function makeTree(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "flock-launcher-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, "tools"));
  for (const file of ["with-node.mjs", "packages.mjs", "lock.mjs", "flockctl.mjs"]) {
    await cp(join(root, "tools", file), join(dir, "tools", file));
  }
  await mkdir(join(dir, "left"));
  await writeFile(
    join(dir, "left", "package.json"),
    JSON.stringify({ name: "left", version: "1.0.0", bin: "left.mjs" }),
  );
  await writeFile(
    join(dir, "left", "left.mjs"),
    '#!/usr/bin/env node\nconsole.log("left", ...process.argv.slice(2));\n',
  );
  await writeFile(join(dir, "package.json"), JSON.stringify({ name: "tree", dependencies: { left: "file:left" } }));
  const { code, stderr } = await runProgram("npm", ["install", "--package-lock-only"], { cwd: dir, env: bare });
  assert.equal(code, 0, stderr);
  return dir;
}

const start = (dir: string, args: string[], env = {}) =>
  runProgram(process.execPath, ["tools/with-node.mjs", ...args], { cwd: dir, env: { ...bare, ...env } });

test("a start in a fresh tree installs once, and the next one does not", async (t) => {
  const dir = await makeTree(t);
  const first = await start(dir, ["left", "a", "b c"]);
  assert.equal(first.stdout, "left a b c\n", first.stderr);
  assert.match(first.stderr, /^Installing packages, since there are none yet/);
  assert.deepEqual(await start(dir, ["left"]), { code: 0, signal: null, stdout: "left\n", stderr: "" });
  assert.equal(await readlink(join(dir, "node_modules/.bin/flockctl")), "../../tools/flockctl.mjs");
});

test("starts at the same time install once and all run", async (t) => {
  const dir = await makeTree(t);
  const all = await Promise.all([start(dir, ["left"]), start(dir, ["left"]), start(dir, ["left"])]);
  for (const { code, stdout, stderr } of all) assert.deepEqual({ code, stdout }, { code: 0, stdout: "left\n" }, stderr);
  assert.equal(all.filter(({ stderr }) => stderr.includes("Installing packages")).length, 1);
  assert.deepEqual(await readdir(join(dir, ".flock")), [], "the lock is gone");
});

test("the lock of a process that was killed does not hold up the next", async (t) => {
  const dir = await makeTree(t);
  await mkdir(join(dir, ".flock"));
  await writeFile(join(dir, ".flock/setup.lock"), "999999999");
  assert.equal((await start(dir, ["left"])).code, 0);
});

test("a script of the repository gets its arguments, and its exit code is the launcher's", async (t) => {
  const dir = await makeTree(t);
  await writeFile(join(dir, "tools/x.ts"), "const n: number = process.argv.length; process.exit(40 + n);\n");
  assert.equal((await start(dir, ["tools/x.ts", "a"])).code, 43);
});

test("a signal reaches the command, and the launcher ends as it does", async (t) => {
  const dir = await makeTree(t);
  const wait = 'process.on("SIGTERM", () => process.exit(7)); setInterval(() => {}, 1000); console.log(process.pid);';
  await writeFile(join(dir, "tools/wait.mjs"), wait);
  await start(dir, ["left"]);
  for (const [signal, expected] of [
    ["SIGTERM", { code: 7, signal: null }],
    ["SIGINT", { code: null, signal: "SIGINT" }],
  ] as const) {
    const child = spawn(process.execPath, ["tools/with-node.mjs", "tools/wait.mjs"], { cwd: dir });
    const [pid] = await once(child.stdout, "data");
    child.kill(signal);
    const [code, ended] = await once(child, "exit");
    assert.deepEqual({ code, signal: ended }, expected);
    assert.throws(() => process.kill(Number(pid), 0), "the command has ended");
  }
});

test("without npm one sentence says so", async (t) => {
  const dir = await makeTree(t);
  const { code, stderr } = await start(dir, ["left"], { PATH: dir });
  assert.equal(code, 1);
  assert.match(stderr, /\nnpm is not on the PATH; install npm and run this again\.\n$/);
});

test("without a network one sentence says so", async (t) => {
  const dir = await makeTree(t);
  const entry = { version: "1.0.0", integrity: `sha512-${Buffer.alloc(64).toString("base64")}` };
  const packages = { "": { name: "tree", dependencies: { far: "1.0.0" } }, "node_modules/far": entry };
  await writeFile(join(dir, "package.json"), JSON.stringify({ name: "tree", dependencies: { far: "1.0.0" } }));
  await writeFile(join(dir, "package-lock.json"), JSON.stringify({ name: "tree", lockfileVersion: 3, packages }));
  const nowhere = {
    npm_config_offline: "false",
    npm_config_registry: "http://127.0.0.1:9/",
    npm_config_fetch_retries: "0",
    npm_config_loglevel: "silent", // as `npm run --silent` leaves it
  };
  const { code, stderr } = await start(dir, ["left"], { ...nowhere, npm_config_cache: join(dir, "cache") });
  assert.equal(code, 1);
  assert.match(stderr, /The packages cannot be fetched, for the npm registry does not answer \(ECONNREFUSED\)/);
});

test("a command that does not exist, or none, is one sentence", async (t) => {
  const dir = await makeTree(t);
  await start(dir, ["left"]);
  assert.match(
    (await start(dir, ["nothing-of-that-name"])).stderr,
    /^nothing-of-that-name cannot be started: there is no such command\.\n$/,
  );
  assert.equal((await start(dir, [])).code, 2);
});
