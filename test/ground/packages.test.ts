import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { isNewEnough, packagesProblem } from "../../tools/packages.mjs";

const native = "node_modules/@nomicfoundation/edr-linux-x64-gnu";
const linux = { os: "linux", cpu: "x64", libc: "glibc" };
const locked = {
  "": { name: "flock" },
  "node_modules/left": { version: "1.0.0" },
  "node_modules/right": { version: "2.0.0", optional: true, os: ["aix"] },
  [native]: { version: "0.1.0", optional: true, os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
};
const installed = { "node_modules/left": { version: "1.0.0" }, [native]: { version: "0.1.0" } };

async function tree(t: TestContext, packages: { locked?: object; installed?: object | undefined; native?: boolean }) {
  const dir = await mkdtemp(join(tmpdir(), "flock-packages-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, "node_modules"));
  const write = (path: string, packages_: object) =>
    writeFile(join(dir, path), JSON.stringify({ packages: packages_ }));
  if (packages.locked !== undefined) await write("package-lock.json", packages.locked);
  if (packages.installed !== undefined) await write("node_modules/.package-lock.json", packages.installed);
  if (packages.native !== false) {
    await mkdir(join(dir, native), { recursive: true });
    await writeFile(join(dir, native, "package.json"), "{}");
  }
  return dir;
}

test("a tree that npm installed from the lockfile is whole", async (t) => {
  assert.equal(packagesProblem(await tree(t, { locked, installed }), linux), undefined);
});

test("a tree without packages, or one left half installed, is not", async (t) => {
  assert.equal(packagesProblem(await tree(t, { locked }), linux), "there are none yet");
});

test("a tree of an older lockfile is not", async (t) => {
  const older = { ...installed, "node_modules/left": { version: "0.9.0" } };
  assert.match(String(packagesProblem(await tree(t, { locked, installed: older }), linux)), /left is not the one/);
});

test("a tree without Hardhat's native part is not, where that part is for this machine", async (t) => {
  const { [native]: _, ...without } = installed;
  const dir = await tree(t, { locked, installed: without, native: false });
  assert.equal(packagesProblem(dir, linux), "Hardhat's native part is missing");
  assert.equal(packagesProblem(dir, { ...linux, libc: "musl" }), undefined);
  assert.equal(packagesProblem(dir, { os: "darwin", cpu: "arm64" }), undefined);
});

test("a tree whose lockfile is gone is refused in one sentence", async (t) => {
  const dir = await tree(t, {});
  assert.throws(() => packagesProblem(dir, linux), /package-lock\.json is missing or not JSON; restore it/);
});

test("a Node that cannot run TypeScript as it is, or Hardhat, is too old", () => {
  for (const old of ["v18.19.0", "v20.20.2", "v22.13.0", "v22.17.1", "v23.5.0"])
    assert.equal(isNewEnough(old), false, old);
  for (const fit of ["v22.18.0", "v23.6.0", "v24.0.0", "v26.1.0"]) assert.equal(isNewEnough(fit), true, fit);
});
