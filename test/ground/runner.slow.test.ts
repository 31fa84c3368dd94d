import assert from "node:assert/strict";
import test from "node:test";
import { makeProject, type Project } from "../support/project.ts";

const paths = [
  "hardhat.config.ts",
  "package.json",
  "tsconfig.json",
  "biome.json",
  "tools",
  "protocol",
  "ignition",
  "workers/cli",
];

const passing = 'import test from "node:test";\ntest("holds", () => {});\ntest("holds, too", () => {});\n';
const skipping =
  'import test from "node:test";\ntest("needs more", { skip: "needs redis-server (Debian package redis-server)" }, () => {});\n';
const failing =
  'import test from "node:test";\ntest("outer", (t) => t.test("inner", () => { throw new Error("broken here"); }));\n';
const contract = (body: string) => `// SPDX-License-Identifier: MIT\npragma solidity 0.8.37;\ncontract A { ${body} }\n`;

const runTests = (project: Project, args: string[] = [], env = {}) =>
  project.run(process.execPath, ["tools/test.ts", ...args], { CI: undefined, INIT_CWD: project.dir, ...env });
const lastLine = (text: string) => text.trimEnd().split("\n").at(-1);

test("the last line counts what the Solidity and the TypeScript runner report, skips with their reason", async (t) => {
  const project = await makeProject(t, paths);
  await project.write("test/a/a.test.ts", passing);
  await project.write("test/a/b.slow.test.ts", skipping);
  await project.write("test/contracts/A.t.sol", contract("function test_holds() external pure {}"));

  const all = await runTests(project);
  assert.equal(lastLine(all.stdout), "3 passed, 0 failed, 1 skipped", all.stdout + all.stderr);
  assert.equal(all.code, 0);
  assert.match(
    all.stdout,
    /^skipped 1 in test\/a\/b\.slow\.test\.ts: needs redis-server \(Debian package redis-server\)$/m,
  );

  const quick = await runTests(project, ["--quick"]);
  assert.equal(lastLine(quick.stdout), "3 passed, 0 failed, 0 skipped");

  const one = await runTests(project, ["test/a/a.test.ts"]);
  assert.equal(lastLine(one.stdout), "2 passed, 0 failed, 0 skipped");

  const strict = await runTests(project, ["test/a"], { CI: "true" });
  assert.equal(lastLine(strict.stdout), "2 passed, 0 failed, 1 skipped");
  assert.equal(strict.code, 1, "with CI=true a skip is a failure");
});

test("a failing test, a file that breaks, a file without tests and a failing Solidity test each fail the run", async (t) => {
  const project = await makeProject(t, paths);
  await project.write("test/a/fails.test.ts", failing);
  await project.write("test/b/breaks.test.ts", 'throw new Error("no such luck");\n');
  await project.write("test/c/empty.test.ts", "export {};\n");
  await project.write("test/contracts/A.t.sol", contract('function test_fails() external pure { revert("no"); }'));

  const inner = await runTests(project, ["test/a"]);
  assert.equal(lastLine(inner.stdout), "0 passed, 2 failed, 0 skipped");
  assert.match(inner.stdout, /FAIL outer > inner\n\s+Error: broken here/);
  assert.equal(inner.code, 1);

  const broken = await runTests(project, ["test/b"]);
  assert.equal(lastLine(broken.stdout), "0 passed, 1 failed, 0 skipped");
  assert.match(broken.stdout, /no such luck/);

  const empty = await runTests(project, ["test/c"]);
  assert.equal(lastLine(empty.stdout), "0 passed, 1 failed, 0 skipped");

  const solidity = await runTests(project, ["test/contracts"]);
  assert.equal(lastLine(solidity.stdout), "0 passed, 1 failed, 0 skipped");
  assert.equal(solidity.code, 1);
});

test("contracts that do not build fail the run, and so does a compiler's warning", async (t) => {
  const project = await makeProject(t, paths);
  await project.write("test/a/a.test.ts", passing);
  await project.write(
    "contracts/A.sol",
    contract("function f(uint256 unused) external pure returns (uint256) { return 1; }"),
  );
  const { stdout, stderr, code } = await runTests(project);
  assert.equal(lastLine(stdout), "0 passed, 1 failed, 0 skipped");
  assert.match(stdout + stderr, /Error: Unused function parameter/);
  assert.equal(code, 1);
});

test("an unknown option is refused with the usage", async (t) => {
  const project = await makeProject(t, paths);
  await project.write("test/a/a.test.ts", passing);
  const { stderr, code } = await runTests(project, ["--fast"]);
  assert.match(stderr, /'--fast'[\s\S]*Usage: npm test/);
  assert.equal(code, 2);
});
