import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { type AddressRules, resolveOpenAddress } from "./addresses.ts";

/** The answer came and can never be the artifact. */
export class WrongBytesError extends PermanentError {}

export type DownloadParameters = AddressRules & {
  maxBytes: number;
  /** Longest silence, in milliseconds. */
  idleMs: number;
  signal: AbortSignal;
};

/**
 * GETs a URL that a stranger named: no redirects, no encodings, at most `maxBytes`, from a checked and pinned address.
 * @throws WrongBytesError for an answer that can never be right; any other error may be another one tomorrow.
 */
export async function download(
  url: URL,
  { maxBytes, idleMs, signal, allowLoopback }: DownloadParameters,
): Promise<Buffer> {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new PassingError("its URL is neither http nor https");
  if (url.username !== "" || url.password !== "") throw new PassingError("its URL carries a password");
  const { address, family } = await resolveOpenAddress(url.hostname, { allowLoopback });

  const secure = url.protocol === "https:";
  const request = (secure ? httpsRequest : httpRequest)({
    host: address,
    family,
    port: url.port === "" ? undefined : Number(url.port),
    path: url.pathname + url.search,
    // The name still goes into the Host header and, for https, is what the certificate must prove.
    ...(secure ? { servername: url.hostname } : {}),
    headers: { host: url.host, "accept-encoding": "identity" },
    agent: false,
    timeout: idleMs,
    signal,
  });
  request.on("timeout", () => request.destroy(new PassingError(`it was silent for ${idleMs} ms`)));
  // Once the answer has begun its errors come with it; those of the request are then the same ones again.
  request.on("error", () => {});
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  try {
    check(response, maxBytes);
    return await collect(response, maxBytes);
  } finally {
    request.destroy();
  }
}

function check({ statusCode = 0, headers }: IncomingMessage, maxBytes: number): void {
  if (statusCode >= 300 && statusCode < 400) throw new PassingError("it redirects, which is not followed");
  if (statusCode === 404) throw new PassingError("it does not have it");
  if (statusCode !== 200) throw new PassingError(`it answered ${statusCode}`);
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    throw new WrongBytesError(`it sent ${encoding}, not the bytes`);
  const length = headers["content-length"];
  if (length !== undefined && Number(length) > maxBytes) {
    throw new WrongBytesError(`it offers ${length} bytes, more than ${maxBytes}`);
  }
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > maxBytes) throw new WrongBytesError(`it sent more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
