import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

export default buildModule("BlockhashBeacon", (m) => {
  const beacon = m.contract("BlockhashBeacon");

  return { beacon };
});
