import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { deploymentModule } from "../../ignition/tasks/deploymentModule.ts";
import { contractNames, type Deployment } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { root } from "../../tools/files.ts";

const addresses = Object.fromEntries(contractNames.map((name, i) => [name, `0x${String(i + 1).repeat(40)}`]));
const deployment = { chainId: 84532, block: 17, addresses } as Deployment;

async function makeFolder(t: TestContext, files: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "flock-module-"));
  t.after(() => rm(dir, { recursive: true }));
  await symlink(join(root, "node_modules"), join(dir, "node_modules"));
  for (const [name, text] of Object.entries({ "package.json": `{"type":"module"}`, ...files })) {
    await writeFile(join(dir, name), text);
  }
  return dir;
}

/** A program's use of the module; `args` are those of a call that viem has to check. */
const use = (args: string) => `
import { createPublicClient, getContract, http } from "viem";
import { flock } from "./flock.ts";

const client = createPublicClient({ transport: http("http://127.0.0.1:9") });
const token = getContract({ address: flock.addresses.FlockToken, abi: flock.abis.FlockToken, client });
export const balance: Promise<bigint> = token.read.balanceOf([${args}]);
export const chainId: ${deployment.chainId} = flock.chainId;
`;

test("the module holds the deployment and the interfaces", async (t) => {
  const dir = await makeFolder(t, { "flock.ts": deploymentModule(deployment) });
  const { flock } = await import(join(dir, "flock.ts"));
  assert.deepEqual(flock, { ...deployment, abis });
});

test("viem knows the functions of the contracts from it, and what they take", async (t) => {
  const files = { "flock.ts": deploymentModule(deployment), "use.ts": use("flock.addresses.Staking") };
  const dir = await makeFolder(t, { ...files, "wrong.ts": use("5n") });
  const check = (file: string) => {
    const options = ["--ignoreConfig", "--strict", "--noEmit", "--skipLibCheck", "--allowImportingTsExtensions"];
    const modern = ["--target", "es2024", "--module", "nodenext", "--types", ""];
    return spawnSync(join(root, "node_modules/.bin/tsc"), [...options, ...modern, file], {
      cwd: dir,
      encoding: "utf8",
    });
  };
  assert.deepEqual([check("use.ts").stdout, check("use.ts").status], ["", 0]);
  assert.match(check("wrong.ts").stdout, /^wrong\.ts\(7,\d+\): error TS2322: Type 'bigint' is not assignable/);
});
