import { createRequire } from "node:module";
import toolbox from "@nomicfoundation/hardhat-toolbox";
import { configVariable, defineConfig, emptyTask, overrideTask, task } from "hardhat/config";
import { ArgumentType } from "hardhat/types/arguments";
import type { HardhatPlugin } from "hardhat/types/plugins";

// The compiler comes from npm: the same bytes for everyone, and no download.
const solc = { version: "0.8.37", path: createRequire(import.meta.url).resolve("solc/soljson.js") };
/** Of every build; the layout of storage lets `flock verify-deployment` find what was bound. */
const settings = { evmVersion: "prague", outputSelection: { "*": { "*": ["storageLayout"] } } };

const compilerOutput: HardhatPlugin = {
  id: "flock-compiler-output",
  hookHandlers: { solidity: () => import("./tools/hardhat/compilerOutput.ts") },
};

/** An option of a task that may be left out. */
const option = <Name extends string>(name: Name, description: string) => ({
  name,
  description,
  type: ArgumentType.STRING_WITHOUT_DEFAULT as const,
  defaultValue: undefined,
});
const deployment = option("deployment", "File of `flock addresses`; default: the deployment that Ignition made there");
const yes = { name: "yes" as const, description: "Sign without asking" };
const dryRun = { name: "dryRun" as const, description: "Show what would be sent and its cost, and send nothing" };
const json = { name: "json" as const, description: "Print one JSON object for programs" };

const tasks = [
  overrideTask(["ignition", "deploy"])
    .addFlag(dryRun)
    .setAction(() => import("./ignition/tasks/deployAction.ts"))
    .build(),
  emptyTask("flock", "Flock: tasks, their money and their audit").build(),
  task(["flock", "addresses"], "Print where a deployment's contracts are, for workers and auditors")
    .addOption(option("deploymentId", "Ignition's id of the deployment; default: chain-<id of the network>"))
    .addOption(option("out", "File to write instead of printing; *.ts becomes a module with the interfaces, for viem"))
    .setAction(() => import("./ignition/tasks/addressesAction.ts"))
    .build(),
  task(
    ["flock", "verify-deployment"],
    "Compare code, links and parameters of a network with this repository; 6 if they differ",
  )
    .addOption(deployment)
    .addOption(option("parameters", "File of the parameters; default: ignition/parameters/<network>.json5"))
    .addFlag(json)
    .setAction(() => import("./ignition/tasks/verifyDeploymentAction.ts"))
    .build(),
  task(["flock", "create-task"], "Create a task and fund it: checks, tells, asks, then sends")
    .addOption(option("manifest", "File with the task's recipe"))
    .addOption(option("terms", "File with the task's terms; those left out have their defaults"))
    .addOption(option("seatStake", "FLK that a seat puts at risk"))
    .addOption(option("deposit", "FLK for the task's pot"))
    .addOption(deployment)
    .addFlag(dryRun)
    .addFlag(yes)
    .addFlag(json)
    .setAction(() => import("./ignition/tasks/createTaskAction.ts"))
    .build(),
  task(["flock", "fund"], "Add to the pot of a task")
    .addOption(option("task", "Number of the task"))
    .addOption(option("amount", "FLK to add"))
    .addOption(deployment)
    .addFlag(dryRun)
    .addFlag(yes)
    .addFlag(json)
    .setAction(() => import("./ignition/tasks/fundAction.ts"))
    .build(),
  task(["flock", "audit"], "Replay a task from its logs and compare it with the contracts; 6 on a difference")
    .addOption(option("task", "Number of the task"))
    .addOption(option("store", "Folder of artifacts by sha256, to build every head again"))
    .addOption(deployment)
    .addFlag(json)
    .setAction(() => import("./ignition/tasks/auditAction.ts"))
    .build(),
];

export default defineConfig({
  plugins: [toolbox, compilerOutput],
  tasks,
  solidity: {
    profiles: {
      default: {
        compilers: [{ ...solc, settings: { ...settings, optimizer: { enabled: true, runs: 200 } } }],
      },
      production: {
        isolated: false, // Together: half the work of one job a file. Verifiers take the whole input as well.
        compilers: [{ ...solc, settings: { ...settings, viaIR: true, optimizer: { enabled: true, runs: 5000 } } }],
      },
    },
  },
  networks: {
    local: { type: "http", chainType: "l1", url: process.env.LOCAL_RPC_URL ?? "http://127.0.0.1:8545" },
    sepolia: {
      type: "http",
      chainType: "l1",
      url: configVariable("SEPOLIA_RPC_URL"),
      accounts: [configVariable("SEPOLIA_KEY")],
    },
    baseSepolia: {
      type: "http",
      chainType: "op",
      url: configVariable("BASE_SEPOLIA_RPC_URL"),
      accounts: [configVariable("BASE_SEPOLIA_KEY")],
    },
  },
  // Simulations (--dry-run) need the rules of the blocks that they copy, which Hardhat does not know of this chain.
  chainDescriptors: {
    84532: { name: "Base Sepolia", chainType: "op", hardforkHistory: { isthmus: { blockNumber: 0 } } },
  },
  paths: { tests: { solidity: "./test/contracts", nodejs: "./test" } },
  test: {
    solidity: { fuzz: { runs: 1000, seed: "0xf10c" }, invariant: { runs: 256, depth: 64, shrinkRunLimit: 100 } },
  },
});
