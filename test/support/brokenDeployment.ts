import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { deploymentFromIgnition } from "../../ignition/tasks/deployment.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { ExitCode } from "../../protocol/errors.ts";
import { deployCommand, deployer, deployerKey, forgetDeployments, makeWorld } from "./deploymentProject.ts";
import type { Project } from "./project.ts";
import { type Meddle, startRpcProxy } from "./rpcProxy.ts";

/** Ignition's patience is for live networks: minutes. The order of things is the same with less. */
const hasty = `
import config from "./hardhat.config.ts";

const ignition = { requiredConfirmations: 1, blockPollingInterval: 20, maxRetries: 3, retryInterval: 50 };
export default { ...config, ignition };
`;

type Ended = { code: number | null; signal: NodeJS.Signals | null; stderr: string; stdout: string };

export type BrokenDeployment = Awaited<ReturnType<typeof makeBrokenDeployment>>;

/** Deployments through a proxy with faults, on one chain that is set back in between. */
export async function makeBrokenDeployment(t: TestContext, project: Project) {
  await project.write("hasty.config.ts", hasty);
  const { node } = await makeWorld(t, project);
  const proxy = await startRpcProxy(node.url);
  t.after(() => proxy.close());
  const nonce = () => node.client.getTransactionCount({ address: deployer });
  const honest: Meddle = (_request, forward) => forward();

  /** Deploys to the end, or to what `fault` makes of it; `strike` kills the process as `kill -9` does. */
  async function deploy(fault: (strike: () => void) => Meddle = () => honest, network = "local"): Promise<Ended> {
    const env = { LOCAL_RPC_URL: proxy.url, SEPOLIA_RPC_URL: proxy.url, SEPOLIA_KEY: deployerKey };
    const args = [...deployCommand.slice(0, -1), network, "--config", "hasty.config.ts"];
    const child = spawn(process.execPath, args, {
      cwd: project.dir,
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    proxy.meddle = fault(() => child.kill("SIGKILL"));
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return { code, signal, stdout, stderr };
  }

  /** Runs the same command again as long as it says so, which may be once more for what waits for a block. */
  async function resume(network?: string): Promise<Ended> {
    let ended = await deploy(undefined, network);
    for (let runs = 1; ended.code === ExitCode.unreachable && runs < 3; runs++)
      ended = await deploy(undefined, network);
    return ended;
  }

  const deployment = (): Promise<Deployment> =>
    deploymentFromIgnition(join(project.dir, "ignition/deployments/chain-31337"));

  const snapshot = { id: await node.client.snapshot() };
  /** Sets the chain back to before any contract, with blocks of their own kind. */
  async function start(mining: "at once" | "in blocks"): Promise<void> {
    await node.client.setIntervalMining({ interval: 0 });
    await node.client.revert(snapshot);
    snapshot.id = await node.client.snapshot();
    await forgetDeployments(project);
    await node.client.setAutomine(mining === "at once");
    if (mining === "in blocks") await node.client.setIntervalMining({ interval: 0.2 });
  }

  const undisturbed = await deploy();
  assert.equal(undisturbed.code, 0, undisturbed.stdout + undisturbed.stderr);
  const wanted = { addresses: (await deployment()).addresses, transactions: await nonce() };

  return {
    deploy,
    resume,
    start,
    /** How many transactions a deployment takes. */
    transactions: wanted.transactions,
    nonce,
    /** Every contract is where it would be without the faults, and no transaction was sent twice. */
    async assertUndisturbed(what: string): Promise<void> {
      const found = { addresses: (await deployment()).addresses, transactions: await nonce() };
      assert.deepEqual(found, wanted, what);
    },
  };
}
