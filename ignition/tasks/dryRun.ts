import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  errorDeploymentResultToExceptionMessage,
  HardhatArtifactResolver,
} from "@nomicfoundation/hardhat-ignition/helpers";
import {
  type DeploymentParameters,
  DeploymentResultType,
  deploy,
  type IgnitionModule,
} from "@nomicfoundation/ignition-core";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { TaskArguments } from "hardhat/types/tasks";
import type { Address, PublicClient } from "viem";
import { ExitCode, PassingError, PermanentError } from "../../protocol/errors.ts";
import { showReport } from "../../workers/cli/report.ts";
import { ownTerminal } from "../../workers/cli/terminal.ts";
import { adoptTransactions } from "./adoptTransactions.ts";
import { confirmOvertaken } from "./confirmOvertaken.ts";
import { costOf, costReport, requireBalance, type Spent, spentBy } from "./cost.ts";
import { deploymentFolder } from "./folder.ts";
import { type JournalEntry, pendingTransactions, readJournal } from "./journal.ts";
import { mendDeployment } from "./mendDeployment.ts";
import type { Parameters } from "./parameters.ts";
import { openSimulation, type Simulation } from "./simulation.ts";

/**
 * Runs a deployment, or the rest of one, in a simulation of its network, and shows what would be sent and its cost. Writes
 * nothing but the build, and sends nothing.
 * @throws PermanentError (chain) if it would fail, or the account cannot pay for it.
 */
export async function dryRun(
  hre: HardhatRuntimeEnvironment,
  options: TaskArguments,
  parameters: Parameters,
): Promise<void> {
  const target = await hre.network.create();
  const client = (await target.viem.getPublicClient()) as PublicClient;
  const accounts = (await target.provider.request({ method: "eth_accounts" })) as Address[];
  const account: Address | undefined = options.defaultSender || accounts[0];
  if (account === undefined) {
    const message = `Network "${target.networkName}" has no account to sign with: give it one in hardhat.config.ts.`;
    throw new PermanentError(message, { exitCode: ExitCode.usage });
  }
  const folder = await mkdtemp(join(tmpdir(), "flock-dry-run-"));
  try {
    if (target.networkConfig.type === "http" && options.reset !== true)
      await copyDeployment(hre, options, folder, client);
    const before = await entriesIn(folder);
    const simulation = await openSimulation(hre, account);
    await hre.tasks.getTask("build").run({ quiet: true, noTests: true, defaultBuildProfile: "production" });
    await simulate(hre, { ...options, simulation, accounts, folder, parameters });
    const entries = await entriesIn(folder);
    const spent = await spentIn(entries, entries.slice(before.length), simulation);
    const cost = await costOf(client, account, spent);
    showReport(ownTerminal(), costReport(spent, cost), { json: false });
    requireBalance(cost);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Brings what Ignition knows of the deployment into `folder`, mended. */
async function copyDeployment(
  hre: HardhatRuntimeEnvironment,
  { deploymentId }: TaskArguments,
  folder: string,
  client: PublicClient,
): Promise<void> {
  const own = await deploymentFolder(hre, deploymentId);
  if (!existsSync(own) || (await isOfAnotherNode(hre, own, client))) return;
  await cp(own, folder, { recursive: true });
  await mendDeployment(folder);
  await adoptTransactions(folder, client);
  await confirmOvertaken(folder, client);
  for (const { futureId, hashes } of pendingTransactions(await entriesIn(folder))) {
    const receipts = hashes.map((hash) => client.request({ method: "eth_getTransactionReceipt", params: [hash] }));
    if ((await Promise.all(receipts)).some((receipt) => receipt !== null)) continue;
    throw new PassingError(
      `The transaction of ${futureId} is under way: run the same command again when it is in a block.`,
    );
  }
}

/** Ignition forgets the deployment on a `hardhat node` when that is another one than before. */
async function isOfAnotherNode(hre: HardhatRuntimeEnvironment, own: string, client: PublicClient): Promise<boolean> {
  if ((await client.getChainId()) !== 31337) return false;
  const file = join(hre.config.paths.cache, ".hardhat-network-instances.json");
  const known = existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as Record<string, string>) : {};
  const ask = client.request as (request: { method: string }) => Promise<unknown>;
  const { instanceId } = (await ask({ method: "hardhat_metadata" })) as { instanceId: string };
  return known[own.split(/[\\/]/).at(-1) ?? ""] !== instanceId;
}

type Simulated = TaskArguments & {
  simulation: Simulation;
  accounts: Address[];
  folder: string;
  parameters: Parameters;
};

async function simulate(hre: HardhatRuntimeEnvironment, options: Simulated): Promise<void> {
  const { modulePath, strategy, defaultSender, simulation, accounts, folder, parameters } = options;
  const { default: ignitionModule } = (await import(pathToFileURL(resolve(modulePath)).href)) as {
    default: IgnitionModule;
  };
  const result = await deploy({
    config: { blockPollingInterval: 10 },
    provider: simulation.provider,
    artifactResolver: new HardhatArtifactResolver(hre.artifacts),
    deploymentDir: folder,
    ignitionModule,
    deploymentParameters: parameters as DeploymentParameters,
    accounts,
    strategy,
    ...(defaultSender ? { defaultSender } : {}),
  });
  if (result.type === DeploymentResultType.SUCCESSFUL_DEPLOYMENT) return;
  const message = `The deployment would fail: ${errorDeploymentResultToExceptionMessage(result)}`;
  throw new PermanentError(message, { exitCode: ExitCode.chain });
}

/** What the transactions in `added`, the last of `entries`, took. */
async function spentIn(
  entries: readonly JournalEntry[],
  added: readonly JournalEntry[],
  simulation: Simulation,
): Promise<Spent[]> {
  const client = (await simulation.viem.getPublicClient()) as PublicClient;
  const spent: Spent[] = [];
  for (const { type, futureId, transaction } of added) {
    if (type !== "TRANSACTION_SEND" || transaction === undefined) continue;
    const what = entries.find((entry) => entry.futureId === futureId && entry.artifactId !== undefined);
    const done = entries.findLast((entry) => entry.futureId === futureId && entry.result !== undefined);
    spent.push({
      step: what?.functionName ?? "deploy",
      contract: what?.contractName ?? what?.artifactId?.split("#").at(-1) ?? futureId ?? "",
      address: (done?.result?.address ?? what?.contractAddress) as Address | undefined,
      ...(await spentBy(client, transaction.hash)),
    });
  }
  return spent;
}

async function entriesIn(folder: string): Promise<JournalEntry[]> {
  const journal = join(folder, "journal.jsonl");
  return existsSync(journal) ? readJournal(journal) : [];
}
