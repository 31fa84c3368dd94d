import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { flopsOf, memoryOf } from "../../../learning/graph/cost.ts";
import { measureGemmRate } from "../../../learning/graph/gemmRate.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { adapterParameters } from "../../../learning/model/parameters.ts";
import { TARGETS } from "../../../learning/model/weights.ts";
import { STREAM_PARTS } from "../../../learning/streamed/groups.ts";
import { ADAM_DEFAULTS } from "../../../learning/train/adamw.ts";
import { availableMemory, fit, judgingForm, requireFit } from "../../../learning/train/fit.ts";
import { type PlannedTraining, planJudging, planTraining } from "../../../learning/train/plan.ts";
import { stepGraph } from "../../../learning/train/step.ts";
import { planStreamed } from "../../../learning/train/streamedPlan.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const spec: AdapterSpec = { rank: 4, alpha: 8, targets: TARGETS, seed: "plan" };
const planned: PlannedTraining = { spec, batch: 6, length: 16, accumulate: 1 };
let checkpoint: Checkpoint;
before(async () => {
  checkpoint = await openCheckpoint(join(import.meta.dirname, "..", "..", "..", "models", "tiny"));
});

/** The same model with more layers. They are not in its files, which nobody reads here. */
function deeper(layers: number): Checkpoint {
  const weights = new Map(checkpoint.weights);
  for (const [name, weight] of checkpoint.weights) {
    for (let layer = 2; layer < layers; layer++) {
      if (name.includes(".layers.1.")) weights.set(name.replace(".layers.1.", `.layers.${layer}.`), weight);
    }
  }
  return { ...checkpoint, config: { ...checkpoint.config, layers }, weights };
}

describe("the plan of a training", () => {
  it("of a deep model is what its whole graph says", () => {
    const deep = deeper(7);
    const plan = planTraining(deep, planned);
    const size = adapterSize(adapterLayout(deep.config, spec));
    const { graph, parts } = stepGraph(
      { config: deep.config, size, parameters: (graph, flat) => adapterParameters(graph, deep, spec, flat) },
      planned,
      ADAM_DEFAULTS,
    );
    const outputs = [...parts.carried.map(({ after }) => after), ...Object.values(parts.collected)];
    const memory = memoryOf(graph, outputs);
    assert.equal(plan.flops, flopsOf(graph));
    assert.equal(plan.memory.packed, memory.packed);
    assert.ok(Math.abs(plan.memory.activations / memory.activations - 1) < 0.02);
    assert.equal(plan.trained, size);
  });

  it("counts about four operations for each frozen number and token, and the output layer's", () => {
    const deep = deeper(20);
    const { parameters, flops } = planTraining(deep, { ...planned, spec: { ...spec, rank: 1 } });
    const perToken = flops / (planned.batch * planned.length);
    assert.ok(perToken > 4 * parameters && perToken < 5 * parameters, `${perToken / parameters}`);
  });

  it("takes as much longer as there are batches in a step, and a sum of gradients more", () => {
    const [once, twice] = [1, 2].map((accumulate) => planTraining(checkpoint, { ...planned, accumulate }));
    assert.ok(twice!.flops > 2 * once!.flops && twice!.flops < 2.1 * once!.flops);
    assert.ok(twice!.memory.state > once!.memory.state);
  });

  it("takes the whole step if that fits, one group of layers at a time if that does, and names the largest batch if not", () => {
    const large = { ...planned, batch: 256, length: 512 };
    const whole = planTraining(checkpoint, large).memory.total;
    const parts = planStreamed(checkpoint, large).memory.total;
    assert.ok(parts < whole);
    assert.equal(requireFit(checkpoint, large, whole), "fused");
    assert.equal(requireFit(checkpoint, large, whole - 1), "streamed");
    assert.equal(requireFit(checkpoint, large, parts), "streamed");

    const { fits, largestBatch } = fit(checkpoint, large, parts - 1);
    assert.equal(fits, false);
    assert.equal(largestBatch, large.batch - 1);
    assert.throws(
      () => requireFit(checkpoint, large, parts - 1),
      (error) => error instanceof PermanentError && error.message.includes(`training.batch ${largestBatch} `),
    );
    assert.throws(() => requireFit(checkpoint, large, 1000), /not even one fits/);
    assert.equal(fit(checkpoint, large, 1000).largestBatch, undefined);
    assert.equal(fit(checkpoint, planned, availableMemory()).form, "fused");
    assert.equal(availableMemory(1000), 1000);
  });

  it("of a streamed step counts the forward pass twice, and does not grow with the depth but by borders and state", () => {
    const [fused, streamed] = [planTraining(deeper(20), planned), planStreamed(deeper(20), planned)];
    assert.ok(streamed.flops > 1.2 * fused.flops && streamed.flops < 1.6 * fused.flops);
    const parts = { ...STREAM_PARTS, groupWeights: 1 };
    const [few, many] = [4, 40].map((layers) => planStreamed(deeper(layers), planned, parts).memory);
    const border = 2 * planned.batch * planned.length * checkpoint.config.hidden;
    assert.equal(many!.activations - few!.activations, 36 * border);
  });

  it("of judging says when the whole model is too much", () => {
    const needed = planJudging(checkpoint, spec, 64);
    assert.equal(judgingForm(checkpoint, spec, 64, needed), "fused");
    assert.equal(judgingForm(checkpoint, spec, 64, needed - 1), "streamed");
  });
});

describe("the rate of matrix products", () => {
  it("is measured on the device", async () => {
    const rate = await measureGemmRate({ device: "cpu", threads: 1 }, 3);
    assert.ok(rate > 1e8 && rate < 1e14, `${rate}`);
  });
});
