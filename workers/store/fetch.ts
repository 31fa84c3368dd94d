import type { Hex } from "viem";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { download, WrongBytesError } from "./download.ts";
import { sha256 } from "./store.ts";

const IDLE_MS = 15_000;
const TOTAL_MS = 300_000;

export type FetchArtifactParameters = {
  /** Where to ask, in this order; each is the base of /artifacts/<64 hex digits>. They come from strangers. */
  endpoints: string[];
  maxBytes: number;
  /** Allow endpoints on this machine: for networks that live on one machine. */
  allowLoopback: boolean;
  /** Longest silence of one endpoint, in milliseconds. */
  idleMs?: number | undefined;
  /** Longest time for one endpoint, in milliseconds. */
  totalMs?: number | undefined;
  /** When to give up (milliseconds since 1970), whoever has not been asked by then. */
  until?: number | undefined;
  signal?: AbortSignal | undefined;
};

/**
 * Fetches the bytes of a digest and returns them only if they are the right ones.
 * @throws PermanentError if every endpoint gave wrong bytes, PassingError if at least one may still give the right ones.
 */
export async function fetchArtifact(
  digest: Hex,
  {
    endpoints,
    maxBytes,
    allowLoopback,
    idleMs = IDLE_MS,
    totalMs = TOTAL_MS,
    until = Infinity,
    signal,
  }: FetchArtifactParameters,
): Promise<Buffer> {
  const reasons: string[] = [];
  let wrong = 0;
  for (const [index, endpoint] of endpoints.entries()) {
    signal?.throwIfAborted();
    const left = until - Date.now();
    if (left <= 0) {
      reasons.push("then the time was over");
      break;
    }
    // Half of the time that is left, so that one who drips leaves some to the others.
    const share = Math.ceil(index === endpoints.length - 1 ? left : left / 2);
    const mostMs = Math.min(totalMs, share);
    const timeout = AbortSignal.timeout(mostMs);
    try {
      const bytes = await download(artifactUrl(endpoint, digest), {
        maxBytes,
        idleMs,
        allowLoopback,
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      if (sha256(bytes) === digest) return bytes;
      throw new WrongBytesError("it sent other bytes");
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof WrongBytesError) wrong += 1;
      const reason = timeout.aborted ? `it took longer than ${mostMs} ms` : (error as Error).message;
      reasons.push(`${endpoint}: ${reason}`);
    }
  }
  if (endpoints.length === 0) throw new PassingError(`Nobody has announced where to fetch ${digest}.`);
  const message = `The bytes of ${digest} could not be had (${reasons.join("; ")}).`;
  throw wrong === endpoints.length ? new PermanentError(message) : new PassingError(message);
}

function artifactUrl(endpoint: string, digest: Hex): URL {
  const base = URL.parse(endpoint);
  if (base === null) throw new PassingError("it is not a URL");
  base.pathname = `${base.pathname.replace(/\/$/, "")}/artifacts/${digest.slice(2)}`;
  base.search = "";
  base.hash = "";
  return base;
}
