import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { contractNames, type Deployment, parseDeployment } from "../../protocol/deployment.ts";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { addressesByFuture, type JournalEntry, readJournal } from "./journal.ts";

/** How many contracts are tied to others after they are deployed, each once. */
const BINDS = contractNames.filter((name) =>
  abis[name].some((item) => item.type === "function" && item.name === "bind"),
).length;

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

/** Address by contract: which module deployed a contract says nothing about the contract. */
function addressesIn(entries: JournalEntry[]): Record<string, string> {
  const byFuture = Object.entries(addressesByFuture(entries));
  return Object.fromEntries(byFuture.map(([future, address]) => [future.split("#").at(-1), address]));
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
