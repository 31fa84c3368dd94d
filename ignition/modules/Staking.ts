import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type FlockToken from "./FlockToken.ts";
import type NamedToken from "./NamedToken.ts";
import TaskRegistry from "./TaskRegistry.ts";

/** The module that says which token the vault holds. */
export type TokenModule = typeof FlockToken | typeof NamedToken;

export default (tokenModule: TokenModule) =>
  buildModule("Staking", (m) => {
    const { token } = m.useModule(tokenModule as typeof FlockToken);
    const { registry } = m.useModule(TaskRegistry);

    const staking = m.contract("Staking", [token, registry]);

    return { staking };
  });
