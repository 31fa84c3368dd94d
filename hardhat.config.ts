import { createRequire } from "node:module";
import toolbox from "@nomicfoundation/hardhat-toolbox";
import { configVariable, defineConfig } from "hardhat/config";
import type { HardhatPlugin } from "hardhat/types/plugins";

// The compiler comes from npm: the same bytes for everyone, and no download.
const solc = { version: "0.8.37", path: createRequire(import.meta.url).resolve("solc/soljson.js") };

const warningsAreErrors: HardhatPlugin = {
  id: "flock-warnings-are-errors",
  hookHandlers: { solidity: () => import("./tools/hardhat/warningsAreErrors.ts") },
};

export default defineConfig({
  plugins: [toolbox, warningsAreErrors],
  solidity: {
    profiles: {
      default: {
        compilers: [{ ...solc, settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: "prague" } }],
      },
      production: {
        compilers: [
          { ...solc, settings: { viaIR: true, optimizer: { enabled: true, runs: 800 }, evmVersion: "prague" } },
        ],
      },
    },
  },
  networks: {
    local: { type: "http", chainType: "l1", url: "http://127.0.0.1:8545" },
    sepolia: {
      type: "http",
      chainType: "l1",
      url: configVariable("SEPOLIA_RPC_URL"),
      accounts: [configVariable("SEPOLIA_KEY")],
    },
  },
  paths: { tests: { solidity: "./test/contracts", nodejs: "./test" } },
  test: { solidity: { fuzz: { runs: 256, seed: "0xf10c" }, invariant: { runs: 64, depth: 32 } } },
});
