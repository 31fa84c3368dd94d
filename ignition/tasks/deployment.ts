import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { contractNames, type Deployment, parseDeployment } from "../../protocol/deployment.ts";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";

/** The lines of Ignition's journal that matter here. */
type JournalEntry = {
  type: string;
  chainId?: number | undefined;
  receipt?: { blockNumber: number; status: string } | undefined;
};

/**
 * The deployment that Ignition keeps in `dir` (`ignition/deployments/<id>`): its addresses, and the block of its first
 * transaction, from which logs have to be read.
 * @throws PermanentError if it is not there or not complete.
 */
export async function deploymentFromIgnition(dir: string): Promise<Deployment> {
  const journal = join(dir, "journal.jsonl");
  if (!existsSync(journal)) {
    const message = `There is no deployment in ${dir}: deploy first (docs/deploying.md), or name a file with --deployment.`;
    throw new PermanentError(message, { exitCode: ExitCode.usage });
  }
  // Keys are "<module>#<contract>": which module deployed a contract says nothing about the contract.
  const file = join(dir, "deployed_addresses.json");
  const futures = existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as Record<string, string>) : {};
  const byName = Object.entries(futures).map(([future, address]) => [future.split("#").at(-1) ?? "", address] as const);
  const addresses = Object.fromEntries(byName);
  const missing = contractNames.filter((name) => addresses[name] === undefined);
  if (missing.length > 0) {
    const message = `The deployment in ${dir} is not complete: run npx hardhat ignition deploy again, it resumes.`;
    throw new PermanentError(message, { exitCode: ExitCode.chain });
  }

  const entries = await readJournal(journal);
  const chainId = entries.find((entry) => entry.type === "DEPLOYMENT_INITIALIZE")?.chainId;
  const blocks = entries.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt.blockNumber]));
  const block = Math.min(...blocks);
  return parseDeployment(JSON.stringify({ chainId, block, addresses }), dir);
}

async function readJournal(file: string): Promise<JournalEntry[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as JournalEntry);
}

/** A deployment from a file of `flock addresses`. */
export async function deploymentFromFile(file: string): Promise<Deployment> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new PermanentError(`The deployment file ${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  return parseDeployment(text, file);
}
