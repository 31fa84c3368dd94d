import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { truncateSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { writeRandomCheckpoint as writeLargeCheckpoint } from "../../../bench/support/randomCheckpoint.ts";
import { readHeader } from "../../../learning/artifact/safetensors.ts";
import { openQuantiser, planQuantised, type QuantisedShard } from "../../../learning/export/quantisedBase.ts";
import { widen } from "../../../learning/export/storedNumbers.ts";
import { encode } from "../../../learning/graph/fourBit.ts";
import { openCheckpoint, type StoredWeight } from "../../../learning/model/checkpoint.ts";
import { linearNames } from "../../../learning/model/weights.ts";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { limit } from "../../support/limits.ts";
import { type StoredDtype, writeRandomCheckpoint } from "../../support/randomCheckpoint.ts";

const config = {
  ...{ model_type: "qwen2", vocab_size: 33, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4 },
  ...{ num_key_value_heads: 2, intermediate_size: 96, max_position_embeddings: 64, rms_norm_eps: 1e-6 },
};

let folder: string;
let model: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-quantised-"));
  model = join(folder, "model");
});
afterEach(() => rm(folder, { recursive: true }));

const bytesOf = async (home: string, { file, offset, bytes }: Pick<StoredWeight, "file" | "offset" | "bytes">) =>
  Uint8Array.from((await readFile(join(home, file))).subarray(offset, offset + bytes));

/** The files of a quantised base, by name, each with its tensors' bytes. */
async function quantise(): Promise<Map<string, Map<string, Uint8Array>>> {
  const checkpoint = await openCheckpoint(model);
  const files = new Map<string, Map<string, Uint8Array>>();
  for (const shard of planQuantised(checkpoint, model)) {
    const path = join(folder, shard.name);
    await openQuantiser(checkpoint)(shard, path);
    const bytes = await readFile(path);
    assert.equal(bytes.length, shard.bytes);
    const { tensors } = readHeader(bytes);
    for (const { offset, bytes: length, dtype } of tensors) {
      assert.equal(offset % (dtype === "F32" ? 4 : 2), 0);
      assert.ok(offset + length <= bytes.length);
    }
    files.set(
      shard.name,
      new Map(tensors.map(({ name, offset, bytes: length }) => [name, bytes.subarray(offset, offset + length)])),
    );
  }
  return files;
}

describe("a quantised base", () => {
  for (const [dtype, shards] of [
    ["F32", 1],
    ["F16", 3],
    ["BF16", 2],
  ] as const satisfies [StoredDtype, number][]) {
    it(`of one in ${dtype} in ${shards} files has codes of its linear layers and the rest as it is, a file a layer and one more`, async () => {
      await writeRandomCheckpoint(model, config, { dtype, shards });
      const source = await openCheckpoint(model);
      const files = await quantise();
      assert.deepEqual(
        [...files.keys()],
        [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`),
      );
      const all = new Map([...files.values()].flatMap((tensors) => [...tensors]));
      const linear = linearNames(source.config);
      assert.equal(all.size, source.weights.size + linear.length);
      for (const [name, weight] of source.weights) {
        const bytes = await bytesOf(source.folder, weight);
        if (!linear.includes(name)) {
          assert.deepEqual(Buffer.from(all.get(name)!), Buffer.from(bytes));
          continue;
        }
        const numbers = Float32Array.from(widen(bytes, dtype));
        const codes = new Uint8Array(numbers.length / 2);
        const scales = new Float16Array(numbers.length / 32);
        encode(numbers, codes, scales, () => assert.fail());
        assert.deepEqual(Buffer.from(all.get(name)!), Buffer.from(codes));
        assert.deepEqual(Buffer.from(all.get(`${name}.scale`)!), Buffer.from(scales.buffer));
      }
      assert.ok(files.get("model-00002-of-00003.safetensors")?.has("model.layers.1.mlp.up_proj.weight.scale"));
    });
  }

  it("is not made of a quantised one, nor of one that blocks do not fill", async () => {
    await writeRandomCheckpoint(model, { ...config, intermediate_size: 100 });
    const plan = async () => planQuantised(await openCheckpoint(model), "the model");
    const refuses = (message: RegExp) =>
      assert.rejects(plan, (error) => error instanceof PermanentError && message.test(error.message));
    await refuses(/the model: the 100 inputs of down_proj cannot be cut into blocks of 32/);
    const checkpoint = await openCheckpoint(model);
    const quantised = { ...checkpoint, config: { ...checkpoint.config, quantised: true } };
    assert.throws(() => planQuantised(quantised, "it"), /it is quantised already/);
  });

  it("is refused where the source holds what is no number, or became shorter, file and tensor named", async () => {
    for (const name of [
      "model.layers.1.mlp.up_proj.weight",
      "model.embed_tokens.weight",
      "model.layers.0.self_attn.q_proj.bias",
    ]) {
      await writeRandomCheckpoint(model, config);
      const weight = (await openCheckpoint(model)).weights.get(name) as StoredWeight;
      const file = join(model, "model.safetensors");
      const bytes = await readFile(file);
      bytes.writeFloatLE(Number.NaN, weight.offset + 4 * 37);
      await writeFile(file, bytes);
      await assert.rejects(quantise(), (error: Error) => {
        const said = `model.safetensors: element 37 of "${name}" is infinite or no number`;
        return error instanceof PermanentError && error.message.startsWith(said);
      });
      bytes.writeFloatLE(3e7, weight.offset + 4 * 37);
      await writeFile(file, bytes);
      if (name.includes("proj.weight")) await assert.rejects(quantise(), /element 37 of .* is 30000000, too large/);
      else await quantise();
    }
    const checkpoint = await openCheckpoint(model);
    await truncate(join(model, "model.safetensors"), 50_000);
    const [first] = planQuantised(checkpoint, model);
    await assert.rejects(
      openQuantiser(checkpoint)(first!, join(folder, "x")),
      /the file ends in the middle of "model\./,
    );
  });

  it("is no file that is shorter than it should be, or has a hole, where a write ended early", async () => {
    await writeRandomCheckpoint(model, config);
    const checkpoint = await openCheckpoint(model);
    const [first] = planQuantised(checkpoint, model) as [QuantisedShard];
    const path = join(folder, "x");
    const writing = (onRead: (bytes: number) => void) => openQuantiser(checkpoint, { onRead })(first, path);
    try {
      limit(process.pid, "fsize", first.bytes - 40);
      await assert.rejects(
        writing(() => {}),
        { code: "EFBIG" },
      );
      // A limit that ends one write and is gone at the next.
      const part = first.parts[1] as QuantisedShard["parts"][number];
      let parts = 0;
      limit(process.pid, "fsize", part.at + 40);
      await assert.rejects(
        writing(() => {
          if (++parts === 2) limit(process.pid, "fsize", "unlimited");
        }),
        { code: "EFBIG" },
      );
      limit(process.pid, "fsize", first.header.length - 1);
      await assert.rejects(
        writing(() => {}),
        { code: "EFBIG" },
      );
    } finally {
      limit(process.pid, "fsize", "unlimited");
    }
    let read = 0;
    const lost = writing((bytes) => {
      read += bytes;
      if (read === first.parts.reduce((sum, { weight }) => sum + weight.bytes, 0)) truncateSync(path, first.bytes - 40);
    });
    await assert.rejects(
      lost,
      (error: Error) => error instanceof PassingError && /x has \d+ bytes of/.test(error.message),
    );
  });

  it("stops where it is told to", async () => {
    await writeRandomCheckpoint(model, config);
    const checkpoint = await openCheckpoint(model);
    const [first] = planQuantised(checkpoint, model);
    const controller = new AbortController();
    let read = 0;
    const onRead = (bytes: number) => {
      read += bytes;
      if (read > 20_000) controller.abort(new Error("enough"));
    };
    await assert.rejects(
      openQuantiser(checkpoint, { signal: controller.signal, onRead })(first!, join(folder, "x")),
      /enough/,
    );
    assert.ok(read < 60_000);
  });

  it("takes the memory of a few rows, however large the model is", async () => {
    const program = join(import.meta.dirname, "..", "..", "support", "quantiseProgram.ts");
    const peaks: number[] = [];
    for (const layers of [1, 8]) {
      const base = join(folder, `base-${layers}`);
      await mkdir(base);
      const size = { hidden: 768, layers, heads: 12, feedForward: 2048, vocabulary: 512, positions: 32 };
      await writeLargeCheckpoint(base, size);
      const out = join(folder, `out-${layers}`);
      peaks.push(Number(execFileSync(process.execPath, [program, base, out], { encoding: "utf8" })));
      assert.ok((await stat(join(base, "model.safetensors"))).size > layers * 28e6);
      await rm(base, { recursive: true });
    }
    const [small, large] = peaks as [number, number];
    assert.ok(large - small < 40e6, `${small} bytes for the small one, ${large} for the large one`);
  });
});
