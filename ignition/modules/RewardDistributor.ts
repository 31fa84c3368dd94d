import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import Rounds from "./Rounds.ts";
import Staking, { type TokenModule } from "./Staking.ts";
import TaskRegistry from "./TaskRegistry.ts";
import ValidatorVoting from "./ValidatorVoting.ts";

export default (tokenModule: TokenModule) =>
  buildModule("RewardDistributor", (m) => {
    const { registry } = m.useModule(TaskRegistry);
    const { staking } = m.useModule(Staking(tokenModule));
    const { rounds } = m.useModule(Rounds(tokenModule));
    const { voting } = m.useModule(ValidatorVoting(tokenModule));

    const distributor = m.contract("RewardDistributor", [registry, staking, rounds, voting]);

    return { distributor };
  });
