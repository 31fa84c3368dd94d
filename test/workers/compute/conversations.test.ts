import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { generate } from "../../../learning/data/generator.ts";
import { openBaseModel } from "../../../learning/model/baseModel.ts";
import { canonicalManifest, type Manifest } from "../../../protocol/manifest.ts";
import { type Compute, openCompute } from "../../../workers/compute/client.ts";
import { sha256OfFile } from "../../../workers/files.ts";
import { checkModel } from "../../../workers/materials.ts";
import { openResults } from "../../../workers/results.ts";
import { tinyTraining } from "../../support/operatorRoom.ts";
import { writeRandomCheckpoint } from "../../support/randomCheckpoint.ts";
import { makeTinyTask } from "../../support/tinyTask.ts";

const config = {
  ...{ model_type: "qwen2", vocab_size: 272, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
  ...{ num_key_value_heads: 1, intermediate_size: 32, max_position_embeddings: 64, rms_norm_eps: 1e-6 },
  ...{ tie_word_embeddings: true, torch_dtype: "bfloat16", eos_token_id: 2 },
};
const TEMPLATE =
  "{% for m in messages %}{{ m.role[0] + ':' + m.content + '</s>\n' }}{% endfor %}{% if add_generation_prompt %}a:{% endif %}";

describe("a Qwen2 in bfloat16 shards that learns from conversations", () => {
  let folder: string;
  let compute: Compute;
  let manifest: Manifest;
  const at = (name: string) => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-conversations-"));
    const task = await makeTinyTask(folder);
    const model = at("qwen");
    await writeRandomCheckpoint(model, config, { dtype: "BF16", shards: 2 });
    for (const name of ["tokenizer.json", "tokenizer_config.json"])
      await copyFile(join(task.model, name), join(model, name));
    await writeFile(join(model, "chat_template.jinja"), TEMPLATE);

    await mkdir(at("said"));
    const rows = generate({ seed: "said", domain: "math", count: 32, split: "public" }).map(
      ({ prompt, completion }) => ({
        messages: [
          { role: "user", content: prompt },
          { role: "assistant", content: completion },
        ],
      }),
    );
    await writeFile(at("said/math.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const files = (await openBaseModel(model)).files.map(async (path) => {
      const file = join(model, path);
      return { path, sha256: await sha256OfFile(file), bytes: (await stat(file)).size };
    });
    manifest = {
      ...task.manifest,
      base: { name: "qwen", files: await Promise.all(files) },
      domains: ["math"],
      public: [{ domain: "math", sha256: await sha256OfFile(at("said/math.jsonl")), rows: 32 }],
      maxTokens: 33,
    };
    await writeFile(at("manifest.json"), canonicalManifest(manifest));
    compute = openCompute({
      settings: { manifest: at("manifest.json"), model, device: "cpu", threads: 1 },
      limits: { silence: 120, limit: 600 },
    });
  });
  after(async () => {
    await compute.close();
    await rm(folder, { recursive: true });
  });

  test("has all its files pinned by the manifest", async () => {
    await checkModel(manifest, at("qwen"), openResults(at("results")));
    const paths = manifest.base.files.map(({ path }) => path);
    assert.deepEqual(paths, [
      ...["config.json", "model.safetensors.index.json"],
      ...["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
      ...["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"],
    ]);
  });

  test("is trained, in packed rows too, and judged", async () => {
    await compute.run("aggregate", { base: null, updates: [], published: 0, out: at("zero") });
    const common = { head: at("zero"), data: at("said"), seed: "a" };
    const plain = await compute.run("train", { ...common, training: tinyTraining, out: at("plain") });
    assert.ok(plain.losses.last < plain.losses.first);
    const packing = { ...tinyTraining, packing: true };
    const packed = await compute.run("train", { ...common, training: packing, out: at("packed") });
    assert.notEqual(packed.graph, plain.graph);
    assert.ok(Math.abs(packed.losses.last / plain.losses.last - 1) < 1e-5);

    const slots = ["plain", "packed"].map(async (name, slot) => ({
      ...{ slot, file: at(name), digest: await sha256OfFile(at(name)) },
    }));
    const { scores } = await compute.run("validate", {
      ...{ head: at("zero"), publicData: at("said"), privateData: at("said"), seed: "round", salt: "salt" },
      ...{ proposals: await Promise.all(slots), out: at("report") },
    });
    const [one, other] = scores as [number, number];
    assert.ok(one > 0 && Math.abs(one - other) <= 1, `${scores}`);
  });
});
