import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type StoreServer, serveStore } from "../../../workers/store/serve.ts";
import { openStore, type Store, sha256 } from "../../../workers/store/store.ts";

let dir: string;
let store: Store;
let server: StoreServer;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "flock-serve-test-"));
  store = await openStore(dir);
  server = await serveStore(store);
});
after(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

const bytes = Buffer.alloc(300_000, "update");
const hex = sha256(bytes).slice(2);

test("gives the bytes of a digest that it has", async () => {
  await store.put(bytes);
  const response = await fetch(`${server.url}/artifacts/${hex}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-length"), String(bytes.length));
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
});

test("tells the size without the bytes", async () => {
  await store.put(bytes);
  const response = await fetch(`${server.url}/artifacts/${hex}`, { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-length"), String(bytes.length));
});

test("knows no other path and no other method", async () => {
  await store.put(bytes);
  await writeFile(join(dir, "secret.txt"), "secret");
  const paths = [
    "/",
    "/artifacts",
    `/artifacts/${"0".repeat(64)}`,
    `/artifacts/${hex.toUpperCase()}`,
    `/artifacts/${hex}?x=1`,
    `/artifacts/${hex}/`,
    "/artifacts/..%2fsecret.txt",
    "/secret.txt",
  ];
  for (const path of paths) assert.equal((await fetch(server.url + path)).status, 404, path);
  for (const method of ["POST", "PUT", "DELETE"]) {
    assert.equal((await fetch(`${server.url}/artifacts/${hex}`, { method })).status, 405, method);
  }
});

test("serves no damaged file", async () => {
  const other = Buffer.from("another");
  await store.put(other);
  await writeFile(join(dir, sha256(other).slice(2)), "anotheR");
  assert.equal((await fetch(`${server.url}/artifacts/${sha256(other).slice(2)}`)).status, 404);
});
