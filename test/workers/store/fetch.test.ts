import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { fetchArtifact } from "../../../workers/store/fetch.ts";
import { sha256 } from "../../../workers/store/store.ts";

const bytes = Buffer.alloc(100_000, "update");
const digest = sha256(bytes);
const rules = { maxBytes: 200_000, allowLoopback: true, idleMs: 300, totalMs: 2_000 };

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A server that answers every request in the same, mostly dishonest, way. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  host = "127.0.0.1",
): Promise<string> {
  const server = createServer(answer);
  server.listen(0, host);
  await once(server, "listening");
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

const honest = () =>
  serve((request, response) => {
    response.writeHead(request.url === `/artifacts/${digest.slice(2)}` ? 200 : 404);
    response.end(request.url === `/artifacts/${digest.slice(2)}` ? bytes : undefined);
  });
const missing = () => serve((_request, response) => response.writeHead(404).end());
const tampered = () =>
  serve((_request, response) => response.end(Buffer.concat([bytes.subarray(1), Buffer.from("x")])));

test("returns the bytes of an honest server", async () => {
  assert.deepEqual(await fetchArtifact(digest, { ...rules, endpoints: [await honest()] }), bytes);
});

test("keeps a path that the endpoint has", async () => {
  const endpoint = await serve((request, response) => {
    response.writeHead(request.url === `/public/artifacts/${digest.slice(2)}` ? 200 : 404).end(bytes);
  });
  assert.deepEqual(await fetchArtifact(digest, { ...rules, endpoints: [`${endpoint}/public/?x#y`] }), bytes);
});

test("still says the name to the address that it was checked to be", async () => {
  const hosts: unknown[] = [];
  const endpoint = await serve((request, response) => {
    hosts.push(request.headers.host);
    response.end(bytes);
  }, "localhost");
  assert.deepEqual(await fetchArtifact(digest, { ...rules, endpoints: [endpoint] }), bytes);
  assert.deepEqual(hosts, [new URL(endpoint).host]);
});

test("asks the next endpoint when one fails", async () => {
  const endpoints = [await missing(), "http://127.0.0.1:9", await tampered(), await honest()];
  assert.deepEqual(await fetchArtifact(digest, { ...rules, endpoints }), bytes);
});

const rejects = async (endpoints: string[], kind: typeof PassingError | typeof PermanentError, pattern: RegExp) =>
  assert.rejects(fetchArtifact(digest, { ...rules, endpoints }), (error: Error) => {
    assert.ok(error instanceof kind, `${error.name}: ${error.message}`);
    assert.match(error.message, pattern);
    return true;
  });

test("error: nobody has it", async () => {
  await rejects([await missing()], PassingError, /it does not have it/);
  await rejects([], PassingError, /Nobody has announced/);
});

test("error: wrong bytes everywhere are permanent, wrong bytes here and none there are not", async () => {
  await rejects([await tampered(), await tampered()], PermanentError, /it sent other bytes; .*it sent other bytes/);
  await rejects([await tampered(), await missing()], PassingError, /it sent other bytes; .*does not have it/);
});

test("error: a server that says it sends too much is cut off before the first byte", async () => {
  let sent = false;
  const endpoint = await serve((_request, response) => {
    response.writeHead(200, { "content-length": 300_000 });
    response.flushHeaders();
    setTimeout(() => {
      sent = !response.destroyed;
      response.destroy();
    }, 100);
  });
  await rejects([endpoint], PermanentError, /offers 300000 bytes, more than 200000/);
  assert.equal(sent, false);
});

test("error: a server that says little and sends much is cut off at the limit", async () => {
  let written = 0;
  const endpoint = await serve((_request, response) => {
    const block = Buffer.alloc(64_000);
    const push = () => {
      if (response.destroyed || written > 100_000_000) return;
      written += block.length;
      if (response.write(block)) setImmediate(push);
      else response.once("drain", push);
    };
    push();
  });
  await rejects([endpoint], PermanentError, /sent more than 200000 bytes/);
  assert.ok(written < 20_000_000, `it could send ${written} bytes`);
});

test("error: a server that says more than it sends is not believed", async () => {
  const endpoint = await serve((_request, response) => {
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, 50_000), () => response.destroy());
  });
  await rejects([endpoint], PassingError, /aborted|terminated|reset/);
});

test("error: silence before and within an answer ends in time", async () => {
  const mute = await serve(() => {});
  await rejects([mute], PassingError, /was silent for 300 ms/);
  const halting = await serve((_request, response) => {
    response.write(bytes.subarray(0, 1_000));
  });
  await rejects([halting], PassingError, /was silent for 300 ms|aborted/);
});

test("error: a trickle ends at the total time", async () => {
  const endpoint = await serve((_request, response) => {
    const timer = setInterval(() => response.write("x"), 50);
    response.once("close", () => clearInterval(timer));
  });
  await rejects([endpoint], PassingError, /took longer than 2000 ms/);
});

test("error: redirects are not followed", async () => {
  const target = await honest();
  const endpoint = await serve((request, response) =>
    response.writeHead(302, { location: `${target}${request.url}` }).end(),
  );
  await rejects([endpoint], PassingError, /redirects, which is not followed/);
});

test("error: a compressed answer is refused, whatever it unpacks to", async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const endpoint = await serve((_request, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(bomb),
  );
  await rejects([endpoint], PermanentError, /it sent gzip, not the bytes/);
});

test("error: what is not a web address is not asked", async () => {
  await rejects(["file:///etc/passwd"], PassingError, /neither http nor https/);
  await rejects(["not a url"], PassingError, /not a URL/);
  await rejects(["http://user:pass@127.0.0.1/"], PassingError, /carries a password/);
});

test("stops when it is told to", async () => {
  const stop = new AbortController();
  const fetching = fetchArtifact(digest, { ...rules, endpoints: [await serve(() => {})], signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(fetching, /enough/);
});

test("error: this machine is not asked unless that is allowed, however it is written", async () => {
  const port = new URL(await honest()).port;
  const names = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
  ];
  for (const name of names) {
    await assert.rejects(
      fetchArtifact(digest, { ...rules, endpoints: [`http://${name}:${port}`], allowLoopback: false }),
      /an address that is not public/,
      name,
    );
  }
});
