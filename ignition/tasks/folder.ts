import { basename, join } from "node:path";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

/** Where Ignition keeps the deployment `id`; without one, that of the network in use. */
export async function deploymentFolder(hre: HardhatRuntimeEnvironment, id?: string | undefined): Promise<string> {
  return join(hre.config.paths.ignition, "deployments", basename(id || `chain-${await chainIdOf(hre)}`));
}

async function chainIdOf(hre: HardhatRuntimeEnvironment): Promise<number> {
  const { provider } = await hre.network.create();
  return Number(await provider.request({ method: "eth_chainId" }));
}
