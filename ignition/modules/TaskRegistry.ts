import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

export default buildModule("TaskRegistry", (m) => {
  const registry = m.contract("TaskRegistry");

  return { registry };
});
