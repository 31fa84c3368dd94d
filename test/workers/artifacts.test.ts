import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { type Artifacts, MissingArtifactError, openArtifacts, withPatience } from "../../workers/artifacts.ts";
import { openStore, sha256 } from "../../workers/store/store.ts";

const bytes = Buffer.from("an update");
const digest = sha256(bytes);

let folder: string;
let artifacts: Artifacts;
const stops: (() => void)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-artifacts-"));
  artifacts = openArtifacts({ store: await openStore(folder), maxBytes: 1_000_000, allowLoopback: true });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await rm(folder, { recursive: true });
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends a byte now and then, for ever: never silent for long, and never done. */
const drip: RequestListener = (_request, response) => {
  const timer = setInterval(() => response.write("x"), 50);
  response.once("close", () => clearInterval(timer));
};

test("gives up when the patience is over, though every endpoint drips", async () => {
  let cutOff = 0;
  const dripping = () =>
    serve((request, response) => {
      drip(request, response);
      response.once("close", () => cutOff++);
    });
  const endpoints = [await dripping(), await dripping(), await dripping()];
  const obtained = await withPatience((until) => artifacts.obtain(digest, { endpoints, until }), { patience: 2 });
  assert.equal(obtained, undefined);
  assert.ok(cutOff >= 1 && cutOff <= 3, `${cutOff} were asked`);
});

test("leaves time for the next endpoint when the first one drips", async () => {
  const first = await serve(drip);
  const endpoints = [await serve((_request, response) => response.end(bytes))];
  const file = await withPatience((until) => artifacts.obtain(digest, { first, endpoints, until }), { patience: 2 });
  assert.deepEqual(await readFile(file as string), bytes);
});

test("asks nobody after the deadline", async () => {
  let asked = 0;
  const first = await serve((_request, response) => {
    asked++;
    response.end(bytes);
  });
  const late = artifacts.obtain(digest, { first, endpoints: [], until: Date.now() - 1 });
  await assert.rejects(
    late,
    (error) => error instanceof MissingArtifactError && /the time was over/.test(error.message),
  );
  assert.equal(asked, 0);
});

test("asks the first endpoint and eight others before a deadline, and everybody without one", async () => {
  const asked: (string | undefined)[] = [];
  const base = await serve((request, response) => {
    asked.push(request.url?.split("/")[1]);
    response.writeHead(404).end();
  });
  const endpoints = Array.from({ length: 20 }, (_, index) => `${base}/${index}`);
  const ask = (until?: number) =>
    assert.rejects(artifacts.obtain(digest, { first: `${base}/first`, endpoints, until }), MissingArtifactError);
  await ask(Date.now() + 60_000);
  assert.equal(asked.length, 9);
  assert.equal(asked[0], "first");
  assert.equal(new Set(asked).size, 9);
  asked.length = 0;
  await ask();
  assert.equal(asked.length, 21);
});
