import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 50;

/** Lets one act of one account happen at a time, in this process and in every other on this machine. */
export type Turns = {
  take<T>(act: () => Promise<T>, signal?: AbortSignal | undefined): Promise<T>;
  close(): void;
};

/**
 * Turns by a lock on a file, which the system gives back when its holder dies. Two senders of one key would both use the next
 * nonce; so the worker and the command line wait for each other.
 */
export function openTurns(file: string): Turns {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(file, { timeout: 0 });
  let last: Promise<unknown> = Promise.resolve();

  const locked = async <T>(act: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    while (!tryLock(db)) await sleep(RETRY_MS, undefined, { signal });
    try {
      return await act();
    } finally {
      db.exec("ROLLBACK");
    }
  };

  return {
    take(act, signal) {
      const turn = last.then(() => locked(act, signal));
      last = turn.catch(() => {});
      return turn;
    },
    close: () => db.close(),
  };
}

const SQLITE_BUSY = 5;

function tryLock(db: DatabaseSync): boolean {
  try {
    db.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
