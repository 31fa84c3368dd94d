import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import type { Hex } from "viem";
import { audit } from "../../audit/audit.ts";
import { recompute } from "../../audit/recompute.ts";
import { applyUpdates } from "../../learning/aggregate/apply.ts";
import { headDigest, writeHead, zeroHead } from "../../learning/aggregate/head.ts";
import { digest, writeArtifact } from "../../learning/artifact/artifact.ts";
import { adapterLayout } from "../../learning/model/adapter.ts";
import { parseConfig } from "../../learning/model/config.ts";
import { Stream } from "../../learning/random.ts";
import { canonicalManifest, type Manifest, manifestDigest } from "../../protocol/manifest.ts";
import type { Task } from "../../protocol/replay/state.ts";
import { randomUpdate } from "../support/adapter.ts";
import { startFlockChain } from "../support/flockChain.ts";
import { someManifest } from "../support/manifest.ts";
import { playTask } from "../support/playedTask.ts";
import { headOf } from "../support/words.ts";

const config = Buffer.from(
  JSON.stringify({
    ...{ model_type: "llama", vocab_size: 263, hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2 },
    ...{ intermediate_size: 12, max_position_embeddings: 32, rms_norm_eps: 1e-6 },
  }),
);
const manifest: Manifest = {
  ...someManifest(),
  base: { name: "shape", files: [{ path: "config.json", sha256: digest(config), bytes: config.length }] },
  adapter: { ...someManifest().adapter, rank: 3, maxNorm: 1000 },
};
const layout = adapterLayout(parseConfig(config.toString()), manifest.adapter);
const stream = new Stream("recompute", "updates");
const updates = [0, 1, 2].map(() => randomUpdate(stream, layout));
const artifacts = updates.map(writeArtifact);
const [first, second, bad] = artifacts as [Buffer, Buffer, Buffer];

// Each round accepts its first proposal of two: median 390, one seat. Alone, it has all of the weight.
const factor = 385n;
const zero = zeroHead(layout, manifest.adapter.exponent);
const next = applyUpdates(zero, [updates[0]!], [factor], 2, manifest.aggregation);

const chain = await startFlockChain();
after(() => chain.close());
const { state } = await playTask(chain, {
  manifest: manifestDigest(manifest),
  artifacts: [
    [digest(first), digest(bad)],
    [digest(second), digest(bad)],
  ],
  heads: [headDigest(writeHead(zero)), headDigest(writeHead(next))],
});
const task = state.tasks.get(1n)!;

let store: string;
beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), "flock-store-"));
  for (const bytes of [Buffer.from(canonicalManifest(manifest)), config, first, second])
    await put(digest(bytes), bytes);
});
afterEach(() => rm(store, { recursive: true }));

async function put(name: Hex, bytes: Uint8Array): Promise<void> {
  await writeFile(join(store, name.slice(2)), bytes);
}

test("every head is built again from its artifacts and compared with what the voters measured", async () => {
  const { client, deployment } = chain;
  const { differences, heads } = await audit({ client, deployment, task: 1n, store });
  assert.equal(differences, 0);
  assert.deepEqual(heads, { checked: 2, confirmed: 1, unchecked: 0, missing: [] });
});

test("a head whose artifact is missing is unchecked, and so is every one after it", async () => {
  await rm(join(store, digest(first).slice(2)));
  const { checked, unchecked, missing, differences } = await recompute(task, store);
  assert.deepEqual({ checked, unchecked, differences }, { checked: 0, unchecked: 2, differences: [] });
  assert.deepEqual(missing, [`artifact ${digest(first)} of round 1`]);
});

test("other bytes under an artifact's name are an error that names the file", async () => {
  await put(digest(second), first);
  const name = new RegExp(`${digest(second).slice(2)} is not what its name says: it was changed or cut`);
  await assert.rejects(recompute(task, store), name);
});

test("without the manifest, or the shape of the base model, nothing is checked", async () => {
  await rm(join(store, digest(config).slice(2)));
  assert.match((await recompute(task, store)).missing[0]!, /^config\.json of the base model/);
  await rm(join(store, manifestDigest(manifest).slice(2)));
  const { checked, unchecked, missing } = await recompute(task, store);
  assert.deepEqual([checked, unchecked], [0, 2]);
  assert.deepEqual(missing, [`manifest ${manifestDigest(manifest)}`]);
});

test("other bytes than the voters named are a difference", async () => {
  const other: Task = structuredClone(task);
  other.history[1]!.reference = headOf(5);
  const { differences, confirmed } = await recompute(other, store);
  assert.equal(confirmed, 0);
  assert.equal(differences.length, 1);
  assert.match(differences[0]!.where, new RegExp(`bytes of head ${task.history[0]!.headId}`));
  assert.equal(differences[0]!.found, headOf(5));
});

test("an accepted artifact that is none is a difference", async () => {
  const rubbish = Buffer.from("rubbish");
  await put(digest(rubbish), rubbish);
  const other: Task = structuredClone(task);
  other.heads[0] = { ...other.heads[0]!, artifacts: [digest(rubbish)] };
  const { differences, unchecked } = await recompute(other, store);
  assert.equal(unchecked, 2);
  assert.equal(differences[0]!.where, "head of round 1");
});

test("a store that cannot be read is an error, not an empty store", async () => {
  await assert.rejects(recompute(task, join(store, digest(first).slice(2))), /The store .* is no folder/);
  await assert.rejects(recompute(task, join(store, "absent")), /The store .* is no folder/);
});
