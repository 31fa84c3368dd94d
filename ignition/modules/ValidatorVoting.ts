import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import Rounds from "./Rounds.ts";
import type { TokenModule } from "./Staking.ts";

export default (tokenModule: TokenModule) =>
  buildModule("ValidatorVoting", (m) => {
    const { rounds } = m.useModule(Rounds(tokenModule));

    const voting = m.contract("ValidatorVoting", [rounds]);

    return { voting };
  });
