import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { contractNames, type Deployment, parseDeployment } from "../../protocol/deployment.ts";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";

/** TaskRegistry, Staking and Rounds are each bound once. */
const BINDS = 3;

/** The lines of Ignition's journal that matter here; a future is a step of a module, "<module>#<contract>". */
type JournalEntry = {
  type: string;
  futureId?: string | undefined;
  chainId?: number | undefined;
  receipt?: { blockNumber: number } | undefined;
  /** Of a contract that was deployed, and of one that was there already. */
  result?: { type: string; address?: string | undefined } | undefined;
  contractAddress?: string | undefined;
};

/**
 * The deployment that Ignition keeps in `dir` (`ignition/deployments/<id>`): its addresses, and the block of its first
 * transaction, from which logs have to be read. From the journal: Ignition's list of addresses lacks a contract if it was
 * killed just after that one.
 * @throws PermanentError if it is not there or not complete.
 */
export async function deploymentFromIgnition(dir: string): Promise<Deployment> {
  const journal = join(dir, "journal.jsonl");
  if (!existsSync(journal)) {
    const message = `There is no deployment in ${dir}: deploy first (docs/deploying.md), or name a file with --deployment.`;
    throw new PermanentError(message, { exitCode: ExitCode.usage });
  }
  const entries = await readJournal(journal);
  const addresses = addressesIn(entries);
  if (contractNames.some((name) => addresses[name] === undefined) || !isDone(entries)) {
    const message = `The deployment in ${dir} is not complete: run npx hardhat ignition deploy again, it resumes.`;
    throw new PermanentError(message, { exitCode: ExitCode.chain });
  }
  const chainId = entries.find((entry) => entry.type === "DEPLOYMENT_INITIALIZE")?.chainId;
  const block = Math.min(...entries.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt.blockNumber])));
  return parseDeployment(JSON.stringify({ chainId, block, addresses }), dir);
}

async function readJournal(file: string): Promise<JournalEntry[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  // A kill can cut the last line short.
  return lines.filter((line) => line.trimEnd().endsWith("}")).map((line) => JSON.parse(line) as JournalEntry);
}

/** Address by contract: which module deployed a contract says nothing about the contract. */
function addressesIn(entries: JournalEntry[]): Record<string, string> {
  const addresses: Record<string, string> = {};
  for (const { type, futureId = "", result, contractAddress } of entries) {
    const name = futureId.split("#").at(-1) ?? "";
    const address = type === "CONTRACT_AT_EXECUTION_STATE_INITIALIZE" ? contractAddress : result?.address;
    if (type === "WIPE_APPLY") delete addresses[name];
    else if (address !== undefined) addresses[name] = address;
  }
  return addresses;
}

/** Whether each contract is tied to the others: nothing works before. */
function isDone(entries: JournalEntry[]): boolean {
  const done = entries.filter(
    ({ type, result }) => type === "CALL_EXECUTION_STATE_COMPLETE" && result?.type === "SUCCESS",
  );
  return new Set(done.map(({ futureId }) => futureId)).size >= BINDS;
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
