import { randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import { PassingError } from "../protocol/errors.ts";
import { fetchArtifact } from "./store/fetch.ts";
import type { Store } from "./store/store.ts";

/** An artifact that is named on the chain, but nobody gives its bytes now. */
export class MissingArtifactError extends PassingError {}

export type ObtainOptions = {
  /** Whom to ask first. */
  first?: string | undefined;
  /** Where else to ask, in this order. Announcing costs nothing: with a deadline only a few are asked, drawn by lot. */
  endpoints: readonly string[];
  /** When to give up (milliseconds since 1970); the bytes are missing then. */
  until?: number | undefined;
  signal?: AbortSignal | undefined;
};

/** Other parties' artifacts, kept in the own store and served from there once they are here. */
export type Artifacts = {
  /**
   * The artifact's file in the own store, fetched if it is not there.
   * @throws MissingArtifactError if nobody gives the bytes. Whoever serves wrong ones today may be mended tomorrow.
   */
  obtain(digest: Hex, options: ObtainOptions): Promise<string>;
};

export type ArtifactsParameters = {
  store: Store;
  /** Bytes of every artifact of the task: nothing longer is fetched. */
  maxBytes: number;
  allowLoopback: boolean;
};

/** How many endpoints besides the first are asked before a deadline. Others are drawn the next time. */
const OTHERS = 8;

export function openArtifacts({ store, maxBytes, allowLoopback }: ArtifactsParameters): Artifacts {
  return {
    async obtain(digest, { first, endpoints, until, signal }) {
      if (!(await isWhole(store, digest))) {
        const others = endpoints.filter((endpoint) => endpoint !== first);
        const asked = until === undefined ? others : draw(others, OTHERS);
        const where = { endpoints: first === undefined ? asked : [first, ...asked], maxBytes, allowLoopback };
        const bytes = await fetchArtifact(digest, { ...where, until, signal }).catch((cause: Error) => {
          signal?.throwIfAborted();
          throw new MissingArtifactError(cause.message, { cause });
        });
        await store.put(bytes);
      }
      return fileInStore(store, digest);
    },
  };
}

/** So many of the list, drawn by lot: whoever announced first has no advantage. */
function draw(list: readonly string[], count: number): string[] {
  const rest = [...list];
  const drawn: string[] = [];
  while (drawn.length < count && rest.length > 0) drawn.push(...rest.splice(randomInt(rest.length), 1));
  return drawn;
}

/** Where the store keeps a digest: for the compute process, which reads files. */
export function fileInStore(store: Store, digest: Hex): string {
  return join(store.dir, digest.slice(2));
}

async function isWhole(store: Store, digest: Hex): Promise<boolean> {
  try {
    const found = await store.open(digest);
    await found?.handle.close();
    return found !== undefined;
  } catch (error) {
    if (error instanceof PassingError) return false; // damaged, and removed by now
    throw error;
  }
}

export type PatienceOptions = { patience: number; pause?: number | undefined; signal?: AbortSignal | undefined };

/**
 * Does what needs artifacts of others, again and again while they are missing, until it works or the patience (seconds) is
 * over; then gives up with undefined. Any other error is thrown at once. An attempt is told when the patience is over
 * (milliseconds since 1970) and must not outlast it.
 */
export async function withPatience<T>(
  attempt: (until: number) => Promise<T>,
  { patience, pause = 5, signal }: PatienceOptions,
): Promise<T | undefined> {
  const end = performance.now() + patience * 1000;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt(Date.now() + end - performance.now());
    } catch (error) {
      if (!(error instanceof MissingArtifactError)) throw error;
      const left = end - performance.now();
      if (left <= 0) return undefined;
      await sleep(Math.min(left, pause * 1000), undefined, { signal });
    }
  }
}
