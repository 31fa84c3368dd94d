import { join } from "node:path";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { Account, Chain, PublicClient, Transport, WalletClient } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { deploymentFromFile, deploymentFromIgnition } from "./deployment.ts";

/** A chain to read, an account to sign with, and the contracts there. */
export type Connection = { publicClient: PublicClient; wallet: Wallet; deployment: Deployment };
export type Wallet = WalletClient<Transport, Chain | undefined, Account>;

/**
 * Opens the network that `--network` names, with the deployment in `file`, or else the one that Ignition made there.
 * @throws PermanentError if there is none, or it is for another chain; Hardhat's error if the chain does not answer.
 */
export async function openDeployment(hre: HardhatRuntimeEnvironment, file?: string | undefined) {
  const { viem, networkName } = await hre.network.create();
  const publicClient = (await viem.getPublicClient()) as PublicClient;
  const chainId = await publicClient.getChainId();
  const deployment =
    file === undefined
      ? await deploymentFromIgnition(join(hre.config.paths.ignition, "deployments", `chain-${chainId}`))
      : await deploymentFromFile(file);
  if (deployment.chainId !== chainId) {
    const message = `The deployment is for chain ${deployment.chainId}, but network "${networkName}" is chain ${chainId}.`;
    throw new PermanentError(message, { exitCode: ExitCode.chain });
  }
  return { publicClient, deployment, viem, networkName };
}

/**
 * Opens a deployment with the account that signs.
 * @throws PermanentError also if the contracts are not on the chain or nobody can sign.
 */
export async function openConnection(hre: HardhatRuntimeEnvironment, file?: string | undefined): Promise<Connection> {
  const { publicClient, deployment, viem, networkName } = await openDeployment(hre, file);
  const { TaskRegistry } = deployment.addresses;
  if ((await publicClient.getCode({ address: TaskRegistry })) === undefined) {
    const message = `There is no contract at ${TaskRegistry} on network "${networkName}": the deployment is of another chain or gone.`;
    throw new PermanentError(message, { exitCode: ExitCode.chain });
  }
  const [wallet] = await viem.getWalletClients();
  if (wallet === undefined) {
    const message = `Network "${networkName}" has no account to sign with: give it one in hardhat.config.ts.`;
    throw new PermanentError(message, { exitCode: ExitCode.usage });
  }
  return { publicClient, wallet: wallet as unknown as Wallet, deployment };
}
