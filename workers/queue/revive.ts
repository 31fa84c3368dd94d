import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 500;

/** What BullMQ's queue, worker and listener have in common. */
type Member = { waitUntilReady(): Promise<unknown>; close(): Promise<void> };

export type Revived<T> = {
  /** The present one; ask again each time. */
  current(): T;
  /** Resolves when one was ready. */
  ready: Promise<void>;
  close(close?: (member: T) => Promise<void>): Promise<void>;
};

/**
 * Holds one of BullMQ's objects. On Postgres, one that was made while the server was away stays broken for ever; so it is made
 * anew until one was ready once. After that it finds its way back by itself.
 */
export function revive<T extends Member>(make: () => T): Revived<T> {
  let member = make();
  let closed = false;
  const ready = (async () => {
    while (!closed) {
      try {
        await member.waitUntilReady();
        return;
      } catch {
        if (closed) return;
        await member.close().catch(() => {});
        await sleep(RETRY_MS, undefined, { ref: false });
        if (!closed) member = make();
      }
    }
  })();
  return {
    current: () => member,
    ready,
    async close(close = (last) => last.close()) {
      closed = true;
      await close(member);
    },
  };
}
