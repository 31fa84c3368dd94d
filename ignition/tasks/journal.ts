import { readFile } from "node:fs/promises";

/** The lines of Ignition's journal that matter here; a future is a step of a module, "<module>#<contract>". */
export type JournalEntry = {
  type: string;
  futureId?: string | undefined;
  chainId?: number | undefined;
  receipt?: { blockNumber: number } | undefined;
  /** Of a contract that was deployed, and of one that was there already. */
  result?: { type: string; address?: string | undefined } | undefined;
  contractAddress?: string | undefined;
};

/** The entries of a journal. */
export async function readJournal(file: string): Promise<JournalEntry[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  // A kill can cut the last line short.
  return lines.filter((line) => line.trimEnd().endsWith("}")).flatMap(parsed);
}

function parsed(line: string): JournalEntry[] {
  try {
    return [JSON.parse(line) as JournalEntry];
  } catch {
    return [];
  }
}

/** The address of each contract that was deployed, or was there already, by future. */
export function addressesByFuture(entries: readonly JournalEntry[]): Record<string, string> {
  const addresses: Record<string, string> = {};
  for (const { type, futureId = "", result, contractAddress } of entries) {
    const address = type === "CONTRACT_AT_EXECUTION_STATE_INITIALIZE" ? contractAddress : result?.address;
    if (type === "WIPE_APPLY") delete addresses[futureId];
    else if (address !== undefined) addresses[futureId] = address;
  }
  return addresses;
}
