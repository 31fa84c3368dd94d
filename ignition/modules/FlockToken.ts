import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/** The token of local and test networks; `holder` gets the whole supply. */
export default buildModule("FlockToken", (m) => {
  const holder = m.getParameter("holder", m.getAccount(0));

  const token = m.contract("FlockToken", [holder]);

  return { token };
});
