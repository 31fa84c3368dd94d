import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addressesByFuture, readJournal } from "./journal.ts";

/**
 * Makes the folder of a deployment (`ignition/deployments/<id>`) whole again after a kill in the middle of a write, over
 * which Ignition would stumble when it resumes. The journal is the truth: what it does not hold has not happened, and the
 * list of addresses follows from it. Does nothing to a folder that is whole, or not there.
 */
export async function mendDeployment(dir: string): Promise<void> {
  const journal = join(dir, "journal.jsonl");
  if (existsSync(journal)) {
    await dropTornLine(journal);
    await restoreAddresses(dir, journal);
  }
  for (const folder of ["artifacts", "build-info"]) await removeTornFiles(join(dir, folder));
}

/** Ignition begins each line with its newline, so only the last one can be torn. */
async function dropTornLine(journal: string): Promise<void> {
  const bytes = await readFile(journal);
  const start = bytes.lastIndexOf("\n");
  if (start >= 0 && !isJson(bytes.subarray(start).toString() || "{}")) await truncate(journal, start);
}

async function restoreAddresses(dir: string, journal: string): Promise<void> {
  const file = join(dir, "deployed_addresses.json");
  const wanted = `${JSON.stringify(addressesByFuture(await readJournal(journal)), null, 2)}\n`;
  const found = existsSync(file) ? await readFile(file, "utf8") : "{}";
  if (isJson(found) && JSON.stringify(JSON.parse(found)) === JSON.stringify(JSON.parse(wanted))) return;
  await writeFile(`${file}.new`, wanted);
  await rename(`${file}.new`, file);
}

/** Each is written before the journal speaks of it, and again if the journal does not. */
async function removeTornFiles(folder: string): Promise<void> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  for (const name of names) {
    const file = join(folder, name);
    if (!isJson(await readFile(file, "utf8"))) await rm(file);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
