import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { Tensor } from "onnxruntime-node";
import { readHeader, type SafetensorsTensor, writeSafetensors } from "../../../learning/artifact/safetensors.ts";
import type { Graph, Value } from "../../../learning/graph/ir.ts";
import { openSession } from "../../../learning/graph/session.ts";
import { adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { packBatch } from "../../../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { QUANTISATION } from "../../../learning/model/config.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { checkFinite } from "../../../learning/model/finite.ts";
import { openGenerator } from "../../../learning/model/generator.ts";
import { adapterParameters } from "../../../learning/model/parameters.ts";
import { TARGETS } from "../../../learning/model/weights.ts";
import { Stream } from "../../../learning/random.ts";
import { streamedModel } from "../../../learning/streamed/streamedModel.ts";
import { planTraining } from "../../../learning/train/plan.ts";
import { gradientStep } from "../../../learning/train/step.ts";
import { planStreamed } from "../../../learning/train/streamedPlan.ts";
import { train } from "../../../learning/train/trainer.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { writeDecoded, writeQuantised } from "../../support/quantised.ts";
import { writeRandomCheckpoint } from "../../support/randomCheckpoint.ts";

const config = {
  ...{ model_type: "llama", vocab_size: 48, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4 },
  ...{ num_key_value_heads: 2, intermediate_size: 96, max_position_embeddings: 64, rms_norm_eps: 1e-5 },
};
const qwen2 = { ...config, model_type: "qwen2", tie_word_embeddings: true };
const FILE = "model.safetensors";
const Q_PROJ = "model.layers.0.self_attn.q_proj.weight";
const options = { device: "cpu", threads: 1 } as const;
const spec = { rank: 2, alpha: 4, targets: [...TARGETS], seed: "quantised" };

let folder: string;
const inFolder = (name: string) => join(folder, name);

for (const [family, fields] of Object.entries({ llama: config, qwen2 })) {
  describe(`a quantised ${family} is the ${family} whose weights are what its codes say`, () => {
    let quantised: Checkpoint;
    let plain: Checkpoint;
    let flat: Float32Array;
    const random = new Stream("quantised", "examples");
    const examples = [20, 9, 14, 5].map((length) => ({
      tokens: Int32Array.from({ length }, () => random.below(48)),
      promptLength: 2,
    }));
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "flock-"));
      await writeRandomCheckpoint(inFolder("source"), fields);
      await writeQuantised(inFolder("source"), inFolder("quantised"));
      await writeDecoded(inFolder("quantised"), inFolder("decoded"));
      quantised = await openCheckpoint(inFolder("quantised"));
      plain = await openCheckpoint(inFolder("decoded"));
      const factors = new Stream("quantised", "factors");
      const size = adapterSize(adapterLayout(plain.config, spec));
      flat = Float32Array.from({ length: size }, () => 0.1 * factors.normal());
    });
    after(() => rm(folder, { recursive: true }));

    it("in its losses, and not the one that it was made from", async () => {
      const losses = async (checkpoint: Checkpoint) => {
        const evaluator = await openEvaluator(checkpoint, spec, options);
        const result = await evaluator.losses(flat, examples);
        await evaluator.close();
        return result;
      };
      const expected = await losses(plain);
      assertClose(await losses(quantised), expected, 1e-4);
      const unrounded = await losses(await openCheckpoint(inFolder("source")));
      assert.ok(unrounded.some((loss, i) => Math.abs(loss - (expected[i] as number)) > 1e-3));
    });

    it("in the loss and every element of the gradient", async () => {
      const [a, b] = [await gradientOf(quantised), await gradientOf(plain)];
      assertClose(a.loss, b.loss, 1e-4);
      assertClose(a.gradient, b.gradient, 1e-4 * Math.max(...b.gradient.map(Math.abs)));
      assert.ok(b.gradient.every((number) => number !== 0));
    });

    it("in every element of the gradient, one layer at a time", async () => {
      const model = streamedModel(quantised, spec, { ...options, parts: { groupWeights: 1, vocabularyRows: 20 } });
      const [rows, length] = [examples.length, 32];
      const gradient = new Float32Array(flat.length);
      const batch = packBatch(examples, { rows, length, mean: "token" });
      await model.addGradient(gradient, flat, { batch: rows, length }, [batch]);
      await model.close();
      const expected = await gradientOf(plain);
      assertClose(gradient, expected.gradient, 2e-3 * Math.max(...expected.gradient.map(Math.abs)));
    });

    it("in a training", async () => {
      const job = { ...options, spec, start: flat, examples, steps: 4, batch: 2, learningRate: 5e-3, seed: "s" };
      const [a, b] = [await train({ ...job, checkpoint: quantised }), await train({ ...job, checkpoint: plain })];
      assertClose(a.losses, b.losses, 1e-4);
      assert.notEqual(a.graph, b.graph);
    });

    it("in what it generates", async () => {
      const said = async (checkpoint: Checkpoint) => {
        const generator = openGenerator(checkpoint, spec, options);
        const result = await generator.generate(flat, [1, 2, 3], { maxNew: 12 });
        await generator.close();
        return result;
      };
      assert.deepEqual(await said(quantised), await said(plain));
    });

    it("in the plan of a training, with less memory for the base", () => {
      const planned = { spec, batch: 2, length: 16, accumulate: 1 };
      const [a, b] = [planTraining(quantised, planned), planTraining(plain, planned)];
      assert.deepEqual([a.parameters, a.trained], [b.parameters, b.trained]);
      assert.ok(a.memory.packed < b.memory.packed / 3 && a.memory.base < b.memory.base);
      assert.equal(planStreamed(quantised, planned).disk, a.disk);
      assert.equal(
        a.disk,
        [...quantised.weights.values()].reduce((sum, { bytes, scales }) => sum + bytes + (scales?.bytes ?? 0), 0),
      );
    });

    async function gradientOf(checkpoint: Checkpoint) {
      const trainable = {
        config: checkpoint.config,
        size: flat.length,
        parameters: (graph: Graph, flat: Value) => adapterParameters(graph, checkpoint, spec, flat),
      };
      const [rows, length] = [examples.length, 32];
      const session = await openSession(gradientStep(trainable, { batch: rows, length }), {
        ...options,
        folder: checkpoint.folder,
      });
      const { tokens, labels, weights } = packBatch(examples, { rows, length, mean: "token" });
      const results = await session.run({
        tokens: new Tensor("int32", tokens, [rows * length]),
        labels: new Tensor("int32", labels, [rows * length]),
        weights: new Tensor("float32", weights, [rows * length]),
        parameters: new Tensor("float32", flat, [flat.length]),
      });
      const [loss, gradient] = session.outputNames.map((name) =>
        Float32Array.from(results[name]?.data as Float32Array),
      );
      await session.release();
      return { loss: loss as Float32Array, gradient: gradient as Float32Array };
    }
  });
}

describe("a quantised checkpoint", () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-"));
    await writeRandomCheckpoint(inFolder("source"), config);
    await writeQuantised(inFolder("source"), folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Rewrites the weights. */
  async function change(edit: (tensors: SafetensorsTensor[]) => SafetensorsTensor[]): Promise<void> {
    const bytes = await readFile(inFolder(FILE));
    const tensors = readHeader(bytes).tensors.map(({ name, dtype, shape, offset, bytes: length }) => ({
      ...{ name, dtype, shape, data: bytes.subarray(offset, offset + length) },
    }));
    await writeFile(inFolder(FILE), writeSafetensors(edit(tensors)));
  }
  const changeOne = (name: string, edit: (tensor: SafetensorsTensor) => Partial<SafetensorsTensor>) =>
    change((tensors) => tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...edit(tensor) } : tensor)));
  const refuses = (message: RegExp) =>
    assert.rejects(
      openCheckpoint(folder),
      (error: Error) => error instanceof PermanentError && (message.test(error.message) || assert.fail(error.message)),
    );

  it("knows of each linear layer where its codes and its scales lie", async () => {
    const { config, weights } = await openCheckpoint(folder);
    assert.equal(config.quantised, true);
    const { dtype, shape, scales } = weights.get(Q_PROJ)!;
    assert.deepEqual([dtype, shape], ["U8", [64, 2, 16]]);
    assert.deepEqual(
      [scales?.name, scales?.dtype, scales?.shape, scales?.file],
      [`${Q_PROJ}.scale`, "F16", [64, 2], FILE],
    );
    assert.deepEqual(
      [...weights.values()].filter(({ scales }) => scales === undefined).map(({ dtype }) => dtype),
      Array(2 + 2 * 2 + 1).fill("F32"),
    );
  });

  it("is refused with scales missing, of another shape or another type", async () => {
    await change((tensors) => tensors.filter(({ name }) => name !== `${Q_PROJ}.scale`));
    await refuses(/model\.safetensors has no tensor "model\.layers\.0\.self_attn\.q_proj\.weight\.scale"/);
    await writeQuantised(inFolder("source"), folder);
    await changeOne(`${Q_PROJ}.scale`, () => ({ shape: [2, 64] }));
    await refuses(/q_proj\.weight\.scale" is \[2,64\], but config\.json asks for \[64,2\]/);
    await writeQuantised(inFolder("source"), folder);
    await changeOne(`${Q_PROJ}.scale`, () => ({ dtype: "BF16" }));
    await refuses(/q_proj\.weight\.scale" is BF16; in a quantised base it is F16/);
  });

  it("is refused with codes of another shape, and with a linear layer in floating-point numbers", async () => {
    await changeOne(Q_PROJ, () => ({ shape: [64, 32] }));
    await refuses(/q_proj\.weight" is \[64,32\], but config\.json asks for \[64,2,16\]/);
    await changeOne(Q_PROJ, () => ({ dtype: "F32", shape: [64, 8] }));
    await refuses(/q_proj\.weight" is F32; in a quantised base it is U8/);
  });

  it("is refused with an embedding or a norm in codes", async () => {
    await changeOne("model.norm.weight", () => ({ dtype: "U8", shape: [256] }));
    await refuses(/"model\.norm\.weight" is U8; only F32, F16, BF16 are supported/);
  });

  it("is refused where config.json does not say so, and an ordinary one where it does", async () => {
    await writeFile(inFolder("config.json"), JSON.stringify(config));
    await refuses(/q_proj\.weight" is U8; only F32, F16, BF16 are supported/);
    const says = { ...config, quantization_config: QUANTISATION };
    await writeFile(join(inFolder("source"), "config.json"), JSON.stringify(says));
    await assert.rejects(openCheckpoint(inFolder("source")), /q_proj\.weight" is F32; in a quantised base it is U8/);
  });

  it("is refused with a width that blocks do not fill", async () => {
    const narrow = { ...config, intermediate_size: 40, quantization_config: QUANTISATION };
    await writeFile(inFolder("config.json"), JSON.stringify(narrow));
    await refuses(/config\.json: the 40 inputs of down_proj cannot be cut into blocks of 32/);
  });

  it("is refused with a scale that is infinite", async () => {
    await checkFinite(inFolder(FILE));
    await changeOne(`${Q_PROJ}.scale`, ({ data }) => {
      const scales = new Uint16Array(Uint8Array.from(data).buffer);
      scales[5] = 0x7c00;
      return { data: new Uint8Array(scales.buffer) };
    });
    await assert.rejects(checkFinite(inFolder(FILE)), /element 5 of "model\..*q_proj\.weight\.scale" is infinite/);
  });
});

function assertClose(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs((actual[i] as number) - (wanted[i] as number));
    assert.ok(difference <= tolerance, `number ${i}: ${actual[i]} instead of ${wanted[i]}`);
  }
}
