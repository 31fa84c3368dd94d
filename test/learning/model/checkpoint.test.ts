import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { readHeader, type SafetensorsTensor, writeSafetensors } from "../../../learning/artifact/safetensors.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { weightShapes } from "../../../learning/model/weights.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { type StoredDtype, writeRandomCheckpoint } from "../../support/randomCheckpoint.ts";

const config = {
  ...{ model_type: "llama", vocab_size: 32, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
  ...{ intermediate_size: 24, max_position_embeddings: 32, rms_norm_eps: 1e-5 },
};
const FILE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const [FIRST, SECOND] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
const EMBEDDING = "model.embed_tokens.weight";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (options: { dtype?: StoredDtype; shards?: number } = {}) =>
  writeRandomCheckpoint(folder, config, options);

/** Rewrites a weights' file. */
async function change(edit: (tensors: SafetensorsTensor[]) => SafetensorsTensor[], file: string = FILE): Promise<void> {
  const bytes = await readFile(join(folder, file));
  const tensors = readHeader(bytes).tensors.map(({ name, dtype, shape, offset, bytes: length }) => ({
    ...{ name, dtype, shape, data: bytes.subarray(offset, offset + length) },
  }));
  await writeFile(join(folder, file), writeSafetensors(edit(tensors)));
}

/** Rewrites the index. */
async function changeIndex(edit: (map: Record<string, unknown>) => unknown): Promise<void> {
  const index = JSON.parse(await readFile(join(folder, INDEX), "utf8"));
  await writeFile(join(folder, INDEX), JSON.stringify({ ...index, weight_map: edit(index.weight_map) }));
}

const refuses = (message: RegExp) =>
  assert.rejects(
    openCheckpoint(folder),
    (error: Error) => error instanceof PermanentError && (message.test(error.message) || assert.fail(error.message)),
  );

/** 16-bit numbers as float32; exact. */
function widened(data: Uint8Array, dtype: "F16" | "BF16"): Uint8Array {
  const { buffer } = Uint8Array.from(data);
  const numbers =
    dtype === "F16"
      ? Float32Array.from(new Float16Array(buffer))
      : Uint32Array.from(new Uint16Array(buffer), (word) => word << 16);
  return new Uint8Array(numbers.buffer);
}

async function loss(): Promise<number> {
  const checkpoint = await openCheckpoint(folder);
  const spec = { rank: 1, alpha: 1, targets: ["q_proj"], seed: "0" };
  const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
  const sequence = { tokens: Int32Array.of(1, 2, 3, 9, 4), promptLength: 1 };
  const [result] = await evaluator.losses(new Float32Array(16), [sequence]);
  await evaluator.close();
  return result as number;
}

describe("a checkpoint", () => {
  it("knows its configuration and where in the file each weight lies", async () => {
    await write();
    const checkpoint = await openCheckpoint(folder);
    assert.deepEqual(
      [...checkpoint.weights.values()].map(({ name, shape }) => ({ name, shape })),
      weightShapes(checkpoint.config),
    );
    assert.deepEqual(checkpoint.files, ["config.json", FILE]);
  });

  it("is the same in one file and in shards, and names all files that it was read from", async () => {
    await write();
    const single = await loss();
    await rm(join(folder, FILE));
    await write({ shards: 2 });
    assert.equal(await loss(), single);
    assert.deepEqual((await openCheckpoint(folder)).files, ["config.json", INDEX, FIRST, SECOND]);
  });

  it("is read from the single file where there is an index too, as Hugging Face does", async () => {
    await write({ shards: 2 });
    await write();
    assert.deepEqual((await openCheckpoint(folder)).files, ["config.json", FILE]);
  });

  for (const dtype of ["F16", "BF16"] as const) {
    it(`in ${dtype} says the same as one in F32 with the same numbers`, async () => {
      await write();
      const unrounded = await loss();
      await write({ dtype });
      const narrow = await loss();
      assert.notEqual(narrow, unrounded);
      await change((tensors) =>
        tensors.map((tensor) => ({ ...tensor, dtype: "F32", data: widened(tensor.data, dtype) })),
      );
      assert.equal(await loss(), narrow);
    });
  }

  it("may mix types, and works behind symbolic links, as in Hugging Face's cache", async () => {
    await write({ dtype: "BF16", shards: 2 });
    const mixed = await mkdtemp(join(tmpdir(), "flock-"));
    await writeRandomCheckpoint(mixed, config, { shards: 2 });
    await cp(join(mixed, SECOND), join(folder, SECOND));
    await rm(mixed, { recursive: true });
    const before = await loss();
    await mkdir(join(folder, "blobs"));
    for (const [i, file] of [FIRST, SECOND].entries()) {
      await rename(join(folder, file), join(folder, "blobs", `blob${i}`));
      await symlink(join("blobs", `blob${i}`), join(folder, file));
    }
    assert.equal(await loss(), before);
  });

  it("may hold the tables of old exports, and a copy of the tied output layer", async () => {
    await writeRandomCheckpoint(folder, { ...config, tie_word_embeddings: true });
    const table = { name: "model.layers.0.self_attn.rotary_emb.inv_freq", dtype: "F32" as const, shape: [1] };
    const copy = { name: "lm_head.weight", dtype: "F32" as const, shape: [32, 16] };
    await change((tensors) => [
      ...tensors,
      { ...table, data: new Uint8Array(4) },
      { ...copy, data: new Uint8Array(2048) },
    ]);
    const { weights } = await openCheckpoint(folder);
    assert.deepEqual([weights.has(table.name), weights.has(copy.name)], [false, false]);
  });
});

describe("a checkpoint is refused, file and tensor named,", () => {
  it("with a file missing", async () => {
    await refuses(/config\.json cannot be read/);
    await write({ shards: 2 });
    await rm(join(folder, SECOND));
    await refuses(/model-00002-of-00002\.safetensors cannot be read/);
    await rm(join(folder, INDEX));
    await refuses(/has neither model\.safetensors nor model\.safetensors\.index\.json/);
  });

  it("with a tensor missing, a stranger or another shape", async () => {
    await write();
    await change((tensors) => tensors.slice(1));
    await refuses(/model\.safetensors has no tensor "model\.embed_tokens\.weight"/);
    await write();
    await change((tensors) => [...tensors, { name: "extra", dtype: "F32", shape: [1], data: new Uint8Array(4) }]);
    await refuses(/"extra" that a llama of this config\.json does not have/);
    await write();
    await change(([first, ...rest]) => [{ ...first!, shape: [...first!.shape].reverse() }, ...rest]);
    await refuses(/"model\.embed_tokens\.weight" is \[16,32\], but config\.json asks for \[32,16\]/);
  });

  it("with biases that its configuration does not have, or without those that it has", async () => {
    await writeRandomCheckpoint(folder, { ...config, attention_bias: true });
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    await refuses(/self_attn\.q_proj\.bias/);
    await write();
    await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, model_type: "qwen2" }));
    await refuses(/has no tensor "model\.layers\.0\.self_attn\.q_proj\.bias"/);
  });

  it("with another type of numbers", async () => {
    await write();
    await change(([first, ...rest]) => [{ ...first!, dtype: "I32" }, ...rest]);
    await refuses(/model\.safetensors: "model\.embed_tokens\.weight" is I32; only F32, F16, BF16 are supported/);
  });

  it("with numbers that do not lie at multiples of their size", async () => {
    await write();
    const bytes = await readFile(join(folder, FILE));
    const length = Number(bytes.readBigUInt64LE()) + 1;
    const moved = Buffer.concat([bytes.subarray(0, 7 + length), Buffer.from(" "), bytes.subarray(7 + length)]);
    moved.writeBigUInt64LE(BigInt(length));
    await writeFile(join(folder, FILE), moved);
    await refuses(/"model\.embed_tokens\.weight" begins at byte \d+, which is no multiple of 4/);
  });

  it("with a truncated file, or one with bytes left over", async () => {
    await write({ shards: 2 });
    const path = join(folder, FIRST);
    const bytes = await readFile(path);
    for (const content of [bytes.subarray(0, -1), bytes.subarray(0, 100), Buffer.concat([bytes, Buffer.alloc(1)])]) {
      await writeFile(path, content);
      await refuses(/model-00001-of-00002\.safetensors: /);
    }
  });

  it("with a header that says it is huge, and reads nothing of it", async () => {
    await write();
    const bytes = await readFile(join(folder, FILE));
    for (const length of [2n ** 63n, 2n ** 20n + 1n, BigInt(bytes.length)]) {
      bytes.writeBigUInt64LE(length);
      await writeFile(join(folder, FILE), bytes);
      await refuses(/model\.safetensors: the header's length \d+ goes beyond/);
    }
  });

  it("with a configuration or an index larger than any", async () => {
    await write({ shards: 2 });
    await writeFile(join(folder, INDEX), Buffer.alloc((1 << 24) + 1, " "));
    await refuses(/index\.json has \d+ bytes, but at most 16777216 are read/);
    await writeFile(join(folder, "config.json"), Buffer.alloc((1 << 20) + 1, " "));
    await refuses(/config\.json has \d+ bytes, but at most 1048576 are read/);
  });

  it("with a pipe or a folder for a file, without waiting for anything", async () => {
    await write();
    await rm(join(folder, FILE));
    execFileSync("mkfifo", [join(folder, FILE)]);
    await refuses(/model\.safetensors is no regular file/);
    await rm(join(folder, "config.json"));
    await mkdir(join(folder, "config.json"));
    await refuses(/config\.json (is no regular file|cannot be read)/);
  });
});

describe("an index is refused", () => {
  beforeEach(() => write({ shards: 2 }));

  for (const file of [
    "../x.safetensors",
    "/etc/passwd",
    "sub/x.safetensors",
    "..",
    ".safetensors",
    "x.bin",
    "C:\\x",
    7,
  ]) {
    it(`that says a tensor is in ${JSON.stringify(file)}`, async () => {
      await changeIndex((map) => ({ ...map, [EMBEDDING]: file }));
      await refuses(
        /index\.json: the tensor "model\.embed_tokens\.weight" is to be in .* no name of a \.safetensors file/,
      );
    });
  }

  it("that has no tensors", async () => {
    await changeIndex(() => ({}));
    await refuses(/has no weight_map/);
    await writeFile(join(folder, INDEX), "[]");
    await refuses(/has no weight_map/);
    await writeFile(join(folder, INDEX), "{");
    await refuses(/index\.json: wrong JSON at character 1/);
  });

  it("that names more files than any model has", async () => {
    const many = Array.from({ length: 1001 }, (_, i) => [`t${i}`, `${i}.safetensors`]);
    await changeIndex(() => Object.fromEntries(many));
    await refuses(/names 1001 files, but at most 1000 are read/);
  });

  it("that names a tensor twice", async () => {
    const text = await readFile(join(folder, INDEX), "utf8");
    await writeFile(
      join(folder, INDEX),
      text.replace('"weight_map": {', `"weight_map": {"${EMBEDDING}": "${SECOND}",`),
    );
    await refuses(/the name "model\.embed_tokens\.weight" is not allowed here/);
  });

  it("that says a tensor is where it is not", async () => {
    await changeIndex((map) => ({ ...map, [EMBEDDING]: SECOND }));
    await refuses(
      /00001-of-00002\.safetensors has a tensor "model\.embed_tokens\.weight", but .* says it is in model-00002/,
    );
    await changeIndex((map) => ({ ...map, [EMBEDDING]: FIRST, extra: FIRST }));
    await refuses(/model-00001-of-00002\.safetensors has no tensor "extra"/);
  });

  it("that does not name a tensor of its files, or one that two of them have", async () => {
    await changeIndex(({ [EMBEDDING]: _, ...rest }) => rest);
    await refuses(/has a tensor "model\.embed_tokens\.weight", but .* does not name it/);
    await write({ shards: 2 });
    const first = readHeader(await readFile(join(folder, FIRST))).tensors[0];
    const data = new Uint8Array(first?.bytes ?? 0);
    await change((tensors) => [...tensors, { name: EMBEDDING, dtype: "F32", shape: [32, 16], data }], SECOND);
    await refuses(
      /00002-of-00002\.safetensors has a tensor "model\.embed_tokens\.weight", but .* says it is in model-00001/,
    );
  });

  it("whose files lead to different folders", async () => {
    const other = await mkdtemp(join(tmpdir(), "flock-"));
    await rename(join(folder, SECOND), join(other, SECOND));
    await symlink(join(other, SECOND), join(folder, SECOND));
    await refuses(/the weights' files lead to different folders/);
    await rm(other, { recursive: true });
  });
});
