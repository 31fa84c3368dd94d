import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import BlockhashBeacon from "./BlockhashBeacon.ts";
import FlockToken from "./FlockToken.ts";
import RewardDistributor from "./RewardDistributor.ts";
import Rounds from "./Rounds.ts";
import Staking, { type TokenModule } from "./Staking.ts";
import TaskRegistry from "./TaskRegistry.ts";
import ValidatorVoting from "./ValidatorVoting.ts";

/** The whole suite on the token of `tokenModule`: deploys every contract and ties each back-link, once. */
export const flockOn = (tokenModule: TokenModule) =>
  buildModule("Flock", (m) => {
    const { token } = m.useModule(tokenModule as typeof FlockToken);
    const { beacon } = m.useModule(BlockhashBeacon);
    const { registry } = m.useModule(TaskRegistry);
    const { staking } = m.useModule(Staking(tokenModule));
    const { rounds } = m.useModule(Rounds(tokenModule));
    const { voting } = m.useModule(ValidatorVoting(tokenModule));
    const { distributor } = m.useModule(RewardDistributor(tokenModule));

    m.call(registry, "bind", [distributor]);
    m.call(staking, "bind", [rounds, distributor]);
    m.call(rounds, "bind", [voting, distributor]);

    return { token, beacon, registry, staking, rounds, voting, distributor };
  });

/** With a token of its own, for local and test networks. */
export default flockOn(FlockToken);
