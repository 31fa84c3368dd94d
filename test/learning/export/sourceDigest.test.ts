import assert from "node:assert/strict";
import { cp, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { sourceDigest } from "../../../learning/export/sourceDigest.ts";
import { openCheckpoint, type StoredWeight } from "../../../learning/model/checkpoint.ts";
import { writeRandomCheckpoint } from "../../support/randomCheckpoint.ts";

const config = {
  ...{ model_type: "qwen2", vocab_size: 33, hidden_size: 64, num_hidden_layers: 1, num_attention_heads: 4 },
  ...{ num_key_value_heads: 2, intermediate_size: 96, max_position_embeddings: 64, rms_norm_eps: 1e-6 },
};

let model: string;
beforeEach(async () => {
  model = await mkdtemp(join(tmpdir(), "flock-source-"));
});
afterEach(() => rm(model, { recursive: true }));

const digest = async (folder = model) => sourceDigest(folder, await openCheckpoint(folder));

describe("the digest of a source", () => {
  it("is the same for a copy, and another for another configuration, shape or numbers", async () => {
    await writeRandomCheckpoint(model, config);
    const first = await digest();
    assert.equal(await digest(), first);
    const copy = `${model}-copy`;
    await cp(model, copy, { recursive: true });
    assert.equal(await digest(copy), first);
    await rm(copy, { recursive: true });
    await writeRandomCheckpoint(model, config, { seed: "other" });
    const second = await digest();
    await writeRandomCheckpoint(model, { ...config, rms_norm_eps: 1e-5 });
    assert.equal(new Set([first, second, await digest()]).size, 3);
  });

  it("changes when what was missing inside or at the end of a weight is filled in", async () => {
    // 17 MB of embedding: samples lie inside of it.
    await writeRandomCheckpoint(model, { ...config, vocab_size: 66_000 });
    const { weights } = await openCheckpoint(model);
    const { file, offset, bytes } = weights.get("model.embed_tokens.weight") as StoredWeight;
    const whole = await digest();
    for (const [from, to] of [
      [offset + 5_000_000, offset + 10_000_000],
      [offset + bytes - 40_000, offset + bytes],
    ] as const) {
      const handle = await open(join(model, file), "r+");
      try {
        const there = Buffer.alloc(to - from);
        await handle.read(there, 0, there.length, from);
        await handle.write(Buffer.alloc(to - from), 0, to - from, from);
        assert.notEqual(await digest(), whole);
        await handle.write(there, 0, there.length, from);
        assert.equal(await digest(), whole);
      } finally {
        await handle.close();
      }
    }
  });
});
