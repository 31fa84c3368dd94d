import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { readHeader, type SafetensorsTensor, writeSafetensors } from "../../../learning/artifact/safetensors.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { weightShapes } from "../../../learning/model/weights.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const fixture = join(import.meta.dirname, "..", "..", "fixtures", "torch");
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-"));
  for (const file of ["config.json", "model.safetensors"]) await cp(join(fixture, file), join(folder, file));
});
afterEach(() => rm(folder, { recursive: true }));

/** Rewrites the weights' file. */
async function change(edit: (tensors: SafetensorsTensor[]) => SafetensorsTensor[]): Promise<void> {
  const path = join(folder, "model.safetensors");
  const bytes = await readFile(path);
  const tensors = readHeader(bytes).tensors.map(({ name, dtype, shape, offset, bytes: length }) => ({
    ...{ name, dtype, shape, data: bytes.subarray(offset, offset + length) },
  }));
  await writeFile(path, writeSafetensors(edit(tensors)));
}

const isPermanent = (message: RegExp) => (error: unknown) =>
  error instanceof PermanentError && message.test(error.message);

describe("a checkpoint", () => {
  it("knows its configuration and where in the file each weight lies", async () => {
    const { config, weights, file } = await openCheckpoint(folder);
    assert.equal(file, "model.safetensors");
    assert.deepEqual(
      [...weights.values()].map(({ name, shape }) => ({ name, shape })),
      weightShapes(config),
    );
  });

  it("works behind a symbolic link, as in Hugging Face's cache", async () => {
    const blob = await mkdtemp(join(tmpdir(), "flock-blob-"));
    await rename(join(folder, "model.safetensors"), join(blob, "0123"));
    await symlink(join(blob, "0123"), join(folder, "model.safetensors"));
    const checkpoint = await openCheckpoint(folder);
    assert.equal(checkpoint.file, "0123");
    const spec = { rank: 1, alpha: 1, targets: ["q_proj"], seed: "0" };
    const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
    const sequence = { tokens: Int32Array.of(1, 2, 3), promptLength: 1 };
    const [loss] = await evaluator.losses(new Float32Array(2 * 32), [sequence]);
    assert.ok(Number.isFinite(loss));
    await evaluator.close();
    await rm(blob, { recursive: true });
  });

  it("may hold the tables of old exports", async () => {
    const table = { name: "model.layers.0.self_attn.rotary_emb.inv_freq", dtype: "F32" as const, shape: [1] };
    await change((tensors) => [...tensors, { ...table, data: new Uint8Array(4) }]);
    assert.equal((await openCheckpoint(folder)).weights.has(table.name), false);
  });

  it("with a file missing is refused", async () => {
    await rm(join(folder, "model.safetensors"));
    await assert.rejects(openCheckpoint(folder), isPermanent(/model\.safetensors cannot be read/));
    await rm(join(folder, "config.json"));
    await assert.rejects(openCheckpoint(folder), isPermanent(/config\.json cannot be read/));
  });

  it("with a tensor missing, a stranger, another shape or another type is refused by name", async () => {
    await change((tensors) => tensors.slice(1));
    await assert.rejects(openCheckpoint(folder), isPermanent(/no tensor "model\.embed_tokens\.weight"/));
    await cp(join(fixture, "model.safetensors"), join(folder, "model.safetensors"));

    await change((tensors) => [...tensors, { name: "extra", dtype: "F32", shape: [1], data: new Uint8Array(4) }]);
    await assert.rejects(openCheckpoint(folder), isPermanent(/"extra"/));
    await cp(join(fixture, "model.safetensors"), join(folder, "model.safetensors"));

    await change(([first, ...rest]) => [{ ...first!, shape: [...first!.shape].reverse() }, ...rest]);
    await assert.rejects(openCheckpoint(folder), isPermanent(/config\.json asks for/));
    await cp(join(fixture, "model.safetensors"), join(folder, "model.safetensors"));

    await change(([first, ...rest]) => [{ ...first!, dtype: "I32" }, ...rest]);
    await assert.rejects(openCheckpoint(folder), isPermanent(/only F32/));
  });

  it("with a truncated file is refused", async () => {
    const path = join(folder, "model.safetensors");
    await writeFile(path, (await readFile(path)).subarray(0, -1));
    await assert.rejects(openCheckpoint(folder), PermanentError);
  });
});
