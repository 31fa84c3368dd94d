import { join } from "node:path";
import { deploymentFromIgnition } from "../../ignition/tasks/deployment.ts";
import type { Deployment } from "../../protocol/deployment.ts";

/**
 * Deploys the suite with Ignition, as a deployer would, on the chain at `url`; Ignition's journal is kept in `folder`.
 * Hardhat is loaded here and not before: it takes seconds, and compiles what is not compiled yet.
 */
export async function deploySuite({ url, folder }: { url: string; folder: string }): Promise<Deployment> {
  const { createHardhatRuntimeEnvironment, importUserConfig, resolveHardhatConfigPath } = await import("hardhat/hre");
  const config = await importUserConfig(await resolveHardhatConfigPath());
  const { default: suite } = await import("../../ignition/modules/Flock.ts");
  const hre = await createHardhatRuntimeEnvironment({ ...config, paths: { ...config.paths, ignition: folder } });
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true });
  const connection = await hre.network.create({ network: "local", override: { url } });
  try {
    await connection.ignition.deploy(suite, { deploymentId: "local" });
  } finally {
    await connection.close();
  }
  return deploymentFromIgnition(join(folder, "deployments", "local"));
}
