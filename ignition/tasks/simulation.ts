import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { type Address, numberToHex } from "viem";

/** More than anything costs, in wei: whether the account's own balance suffices is told, not tried. */
const RICH = 10n ** 24n;

export type Simulation = Awaited<ReturnType<typeof openSimulation>>;

/**
 * The network that `--network` names, copied into this process as it stands at its newest block; a simulated network is
 * taken itself. `account` acts there without its key, and rich. Nothing that is sent there leaves this process.
 */
export async function openSimulation(hre: HardhatRuntimeEnvironment, account: Address) {
  const target = await hre.network.create();
  const { networkConfig } = target;
  if (networkConfig.type !== "http") return target;
  const ask = (method: string) => target.provider.request({ method });
  const [chainId, block] = [Number(await ask("eth_chainId")), Number(await ask("eth_blockNumber"))];
  const url = await networkConfig.url.getUrl();
  const forking = { enabled: true, url, blockNumber: block, httpHeaders: networkConfig.httpHeaders ?? {} };
  const simulation = await hre.network.create({
    network: "default",
    chainType: target.chainType,
    override: { chainId, forking },
  });
  const request = (method: string, ...params: unknown[]) => simulation.provider.request({ method, params });
  await request("hardhat_impersonateAccount", account);
  await request("hardhat_setBalance", account, numberToHex(RICH));
  // The newest block must be of this process: the rules of the copied ones are not known for every chain.
  await request("hardhat_mine");
  return simulation;
}
