import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readPeft, writePeft } from "../../../learning/export/peft.ts";
import { adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { examplesOf, type Family, factorsOf, families, spec, writeFamily } from "../../support/families.ts";
import { type HfConfig, plainLoss, readTensors, shardsOf } from "../../support/plainLlama.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-peft-"));
});
after(() => rm(folder, { recursive: true }));

const small = { rank: 2, alpha: 3, targets: ["v_proj", "q_proj"], seed: "peft" };

describe("an adapter for PEFT", () => {
  for (const [name, family] of Object.entries(families)) {
    if (name === "llama3") continue; // its scaling of positions is not in the plain model
    it(`says of ${name} by plain arithmetic in float64 what the evaluator says`, async () => {
      const model = join(folder, name);
      await writeFamily(model, family as Family);
      const checkpoint = await openCheckpoint(model);
      const layout = adapterLayout(checkpoint.config, spec);
      const flat = Float32Array.from(factorsOf(checkpoint.config).flatMap(({ b }) => [...b]));
      const { config, weights } = writePeft(layout, spec, { flat, base: name });
      const file = join(model, "adapter_model.safetensors.bin");
      await writeFile(file, weights);

      const { lora_alpha: alpha, r } = JSON.parse(config) as { lora_alpha: number; r: number };
      const adapter = { tensors: await readTensors([file]), scale: alpha / r };
      const base = await readTensors(shardsOf(model, checkpoint.files));
      const examples = examplesOf(family as Family);
      const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
      const losses = await evaluator.losses(flat, examples);
      await evaluator.close();
      for (const [i, example] of examples.entries()) {
        const plain = plainLoss((family as Family).config as HfConfig, base, example, adapter);
        assert.ok(Math.abs(plain - (losses[i] as number)) < 1e-5, `example ${i}: ${plain} and ${losses[i]}`);
        const unchanged = plainLoss((family as Family).config as HfConfig, base, example);
        assert.ok(Math.abs(plain - unchanged) > 1e-4, "the adapter changes the loss");
      }
    });
  }

  it("is read back to the same bits, and refused if anything of it differs", async () => {
    const model = join(folder, "strict");
    await writeFamily(model, families.llama2 as Family);
    const layout = adapterLayout((await openCheckpoint(model)).config, small);
    const flat = Float32Array.from({ length: adapterSize(layout) }, (_, i) => Math.fround(0.1 * Math.sin(i)));
    const files = writePeft(layout, small, { flat, base: "b" });
    assert.deepEqual(readPeft(layout, small, files), flat);
    const refused = (damaged: typeof files, message: RegExp) =>
      assert.throws(
        () => readPeft(layout, small, damaged),
        (error: Error) => error instanceof PermanentError && message.test(error.message),
      );
    for (const [from, to, message] of [
      ['"use_rslora": false', '"use_rslora": true', /use_rslora is true, not false/],
      ['"lora_alpha": 3', '"lora_alpha": 4', /lora_alpha is 4, not 3/],
      ['"modules_to_save": null', '"modules_to_save": []', /modules_to_save is \[\], not null/],
    ] as const) {
      refused({ ...files, config: files.config.replace(from, to) }, message);
    }
    refused({ ...files, weights: files.weights.subarray(0, -1) }, /the tensors end at byte/);
    const otherA = Buffer.from(files.weights);
    const start = 8 + Number(otherA.readBigUInt64LE());
    otherA.writeFloatLE(otherA.readFloatLE(start) + 1, start);
    refused({ ...files, weights: otherA }, /factor A of layers\.0\.q_proj\.B is not the one/);
    assert.throws(() => readPeft(layout, { ...small, seed: "other" }, files), /factor A/);
  });

  it("says all that would change PEFT's arithmetic", () => {
    const config = JSON.parse(writePeft([], small, { flat: new Float32Array(0), base: "b" }).config);
    assert.deepEqual(
      { r: config.r, lora_alpha: config.lora_alpha, target_modules: config.target_modules, bias: config.bias },
      { r: 2, lora_alpha: 3, target_modules: ["v_proj", "q_proj"], bias: "none" },
    );
    for (const field of ["use_rslora", "use_dora", "fan_in_fan_out"]) assert.equal(config[field], false, field);
    for (const field of ["modules_to_save", "layers_to_transform", "layer_replication"]) {
      assert.equal(config[field], null, field);
    }
    assert.deepEqual([config.rank_pattern, config.alpha_pattern], [{}, {}]);
  });
});
