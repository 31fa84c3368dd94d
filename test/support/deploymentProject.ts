import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Deployment, parseDeployment } from "../../protocol/deployment.ts";
import { type Node, startNode } from "./hardhatNode.ts";
import { type Ended, makeProject, type Project } from "./project.ts";

/** The first account of `hardhat node`, which deploys. */
export const deployer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
export const deployerKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/** Hardhat's program, for arguments of Node. */
export const hardhat = "node_modules/hardhat/dist/src/cli.js";
// The daily profile: the tests are about the order of things, not about the bytes.
const profile = [hardhat, "--build-profile", "default"];
export const deployCommand = [...profile, "ignition", "deploy", "ignition/modules/Flock.ts", "--network", "local"];
export const verifyCommand = [...profile, "flock", "verify-deployment", "--network", "local"];

const paths = [
  ...["hardhat.config.ts", "package.json"],
  ...["contracts", "ignition", "protocol", "audit", "learning", "workers", "tools"],
];

/** A copy of this repository that can deploy, built once for all tests of a file. */
export async function makeDeploymentProject(t: { after(work: () => Promise<void>): void }): Promise<Project> {
  const project = await makeProject(t, paths);
  const built = await project.run(process.execPath, [hardhat, "build", "--no-tests"]);
  assert.equal(built.code, 0, built.stderr);
  return project;
}

export type World = { project: Project; node: Node; env: NodeJS.ProcessEnv };

/** A chain without contracts, and no memory of the chain before. */
export async function makeWorld(t: TestContext, project: Project): Promise<World> {
  await forgetDeployments(project);
  const node = await startNode(t, project.dir);
  return { project, node, env: { LOCAL_RPC_URL: node.url } };
}

export async function forgetDeployments(project: Project): Promise<void> {
  await rm(join(project.dir, "ignition/deployments"), { recursive: true, force: true });
}

/** Runs Node in the project on the chain of its world. */
export const run = ({ project, env }: World, args: string[]): Promise<Ended> =>
  project.run(process.execPath, args, env);

export async function addressesOf(world: World): Promise<Deployment> {
  const { stdout, stderr } = await run(world, [hardhat, "flock", "addresses", "--network", "local"]);
  assert.equal(stderr, "");
  return parseDeployment(stdout, "flock addresses");
}
