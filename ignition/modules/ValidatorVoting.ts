import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import Rounds from "./Rounds.ts";
import type { TokenModule } from "./Staking.ts";
import TaskRegistry from "./TaskRegistry.ts";

export default (tokenModule: TokenModule) =>
  buildModule("ValidatorVoting", (m) => {
    const { registry } = m.useModule(TaskRegistry);
    const { rounds } = m.useModule(Rounds(tokenModule));

    const voting = m.contract("ValidatorVoting", [registry, rounds]);

    return { voting };
  });
