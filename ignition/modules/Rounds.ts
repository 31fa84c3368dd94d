import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import BlockhashBeacon from "./BlockhashBeacon.ts";
import Staking, { type TokenModule } from "./Staking.ts";
import TaskRegistry from "./TaskRegistry.ts";

export default (tokenModule: TokenModule) =>
  buildModule("Rounds", (m) => {
    const { registry } = m.useModule(TaskRegistry);
    const { staking } = m.useModule(Staking(tokenModule));
    const { beacon } = m.useModule(BlockhashBeacon);

    const rounds = m.contract("Rounds", [registry, staking, beacon]);

    return { rounds };
  });
