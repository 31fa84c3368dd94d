import type { Address } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";

/**
 * Deploys the suite with Ignition, as a deployer would, on the chain at `url`. Hardhat is loaded here and not before: it
 * takes seconds, and compiles what is not compiled yet.
 */
export async function deploySuite({
  url,
  chainId,
  block,
}: {
  url: string;
  chainId: number;
  block: number;
}): Promise<Deployment> {
  const { default: hre } = await import("hardhat");
  const { default: suite } = await import("../../ignition/modules/Flock.ts");
  await hre.tasks.getTask("build").run({ quiet: true });
  const connection = await hre.network.create({ network: "local", override: { url } });
  try {
    const contracts: Record<keyof (typeof suite)["results"], { address: Address }> =
      await connection.ignition.deploy(suite);
    const { token, beacon, registry, staking, rounds, voting, distributor } = contracts;
    return {
      chainId,
      block,
      addresses: {
        FlockToken: token.address,
        BlockhashBeacon: beacon.address,
        TaskRegistry: registry.address,
        Staking: staking.address,
        Rounds: rounds.address,
        ValidatorVoting: voting.address,
        RewardDistributor: distributor.address,
      },
    };
  } finally {
    await connection.close();
  }
}
