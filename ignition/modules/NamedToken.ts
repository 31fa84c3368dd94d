import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/** The token a live network names: an ERC-20 that moves exactly the amount it is asked to move. */
export default buildModule("NamedToken", (m) => {
  const address = m.getParameter<string>("address");

  const token = m.contractAt("FlockToken", address);

  return { token };
});
