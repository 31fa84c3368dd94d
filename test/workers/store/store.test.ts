import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Hex } from "viem";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { openStore, sha256 } from "../../../workers/store/store.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "flock-store-test-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const bytes = Buffer.from("an update");
const digest = sha256(bytes);

test("keeps bytes under their digest and gives them back", async () => {
  const store = await openStore(dir);
  assert.equal(await store.has(digest), false);
  assert.equal(await store.put(bytes), digest);
  assert.equal(await store.put(bytes), digest, "twice is the same");
  assert.equal(await store.has(digest), true);
  assert.deepEqual(await store.get(digest), bytes);
  assert.deepEqual(await readdir(dir), [digest.slice(2)]);
});

test("says in a passing way that it does not have something", async () => {
  const store = await openStore(dir);
  await assert.rejects(store.get(digest), PassingError);
  assert.equal(await store.open(digest), undefined);
});

test("takes digests only, never a name", async () => {
  const store = await openStore(dir);
  for (const name of ["../etc/passwd", digest.toUpperCase(), digest.slice(0, -1), `${digest}/..`, ""]) {
    await assert.rejects(store.get(name as Hex), PermanentError);
    await assert.rejects(store.has(name as Hex), PermanentError);
  }
});

test("never gives back damaged bytes, and forgets them", async () => {
  const store = await openStore(dir);
  await store.put(bytes);
  await store.get(digest);
  await writeFile(join(dir, digest.slice(2)), "an updatE");
  await assert.rejects(store.get(digest), /was damaged and is removed/);
  assert.equal(await store.has(digest), false);
  await store.put(bytes);
  assert.deepEqual(await store.get(digest), bytes);
});

test("mends a damaged file when the bytes come again", async () => {
  await writeFile(join(dir, digest.slice(2)), "damaged");
  const store = await openStore(dir);
  await store.put(bytes);
  assert.deepEqual(await store.get(digest), bytes);
});

test("does not follow a link out of its folder", async () => {
  const outside = join(dir, "outside");
  await writeFile(outside, bytes);
  const inside = join(dir, "store");
  await mkdir(inside);
  await symlink(outside, join(inside, digest.slice(2)));
  const store = await openStore(inside);
  assert.equal(await store.open(digest), undefined);
  await store.put(bytes);
  assert.deepEqual(await store.get(digest), bytes);
  await rm(outside);
  assert.deepEqual(await store.get(digest), bytes, "the link was replaced, not written through");
});

test("writes nothing on a disk that is nearly full", async () => {
  const store = await openStore(dir, { keepFree: Number.MAX_SAFE_INTEGER });
  await assert.rejects(store.put(bytes), (error: Error) => {
    assert.ok(error instanceof PassingError);
    assert.match(error.message, /MiB free, too little to keep 1 MiB more/);
    return true;
  });
  assert.deepEqual(await readdir(dir), []);
});

test("clears what a killed process left half-written, and nothing else", async () => {
  const old = join(dir, `.${"ab".repeat(16)}.part`);
  const fresh = join(dir, `.${"cd".repeat(16)}.part`);
  const other = join(dir, "notes.txt");
  for (const file of [old, fresh, other]) await writeFile(file, "x");
  for (const file of [old, other]) await utimes(file, 0, 0);
  await openStore(dir);
  assert.deepEqual((await readdir(dir)).sort(), [fresh, other].map((file) => file.slice(dir.length + 1)).sort());
});

test("many writers of the same bytes leave one whole file", async () => {
  const large = Buffer.alloc(2_000_000, 7);
  const stores = await Promise.all([openStore(dir), openStore(dir), openStore(dir)]);
  await Promise.all(stores.flatMap((store) => [store.put(large), store.put(large)]));
  assert.deepEqual(await readdir(dir), [sha256(large).slice(2)]);
  assert.deepEqual(await readFile(join(dir, sha256(large).slice(2))), large);
});
