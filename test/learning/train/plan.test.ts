import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { flopsOf, memoryOf } from "../../../learning/graph/cost.ts";
import { measureGemmRate } from "../../../learning/graph/gemmRate.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { worstLayouts } from "../../../learning/model/packing.ts";
import { adapterParameters } from "../../../learning/model/parameters.ts";
import { TARGETS } from "../../../learning/model/weights.ts";
import { STAYING } from "../../../learning/streamed/sessions.ts";
import { ADAM_DEFAULTS } from "../../../learning/train/adamw.ts";
import { availableMemory, fit, fitJudging, requireFit } from "../../../learning/train/fit.ts";
import { type PlannedTraining, planJudging, planTraining } from "../../../learning/train/plan.ts";
import { stepGraph } from "../../../learning/train/step.ts";
import { planStreamed } from "../../../learning/train/streamedPlan.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { eightBillion, writeHollowCheckpoint } from "../../support/hollowCheckpoint.ts";

const spec: AdapterSpec = { rank: 4, alpha: 8, targets: TARGETS, seed: "plan" };
const planned: PlannedTraining = { spec, batch: 6, length: 16, accumulate: 1 };
let checkpoint: Checkpoint;
let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "flock-"));
  checkpoint = await openCheckpoint(join(import.meta.dirname, "..", "..", "..", "models", "tiny"));
});

after(() => rm(scratch, { recursive: true }));

/** A model of layers so large that each is a group. */
async function hollow(layers: number): Promise<Checkpoint> {
  const folder = join(scratch, String(layers));
  await writeHollowCheckpoint(folder, eightBillion(layers));
  return openCheckpoint(folder);
}

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

  it("has no packed matrices where the weights stay in their files, in training and in judging", () => {
    const [packed, mapped] = [
      planTraining(checkpoint, planned),
      planTraining(checkpoint, { ...planned, weights: "mapped" }),
    ];
    assert.ok(packed.memory.packed > 0);
    assert.equal(mapped.memory.packed, 0);
    const less = (packed.memory.total - mapped.memory.total) / packed.memory.packed;
    assert.ok(less > 1 && less < 1.2, `${less}`);
    const judged = planJudging(checkpoint, { spec, length: 64 }).total;
    assert.ok(planJudging(checkpoint, { spec, length: 64, weights: "mapped" }).total < judged);
    const total = mapped.memory.total;
    assert.equal(requireFit(checkpoint, { ...planned, weights: "mapped" }, total).form, "fused");
    assert.equal(fit(checkpoint, planned, total).form, "streamed");
  });

  it("takes the whole step if that fits, one group of layers at a time if that does, and names the largest batch if not", async () => {
    const deep = await hollow(4);
    const large = { ...planned, batch: 4, length: 128 };
    const whole = planTraining(deep, large).memory.total;
    const parts = planStreamed(deep, large).memory.total;
    assert.ok(parts < whole);
    assert.equal(requireFit(deep, large, whole).form, "fused");
    assert.equal(requireFit(deep, large, whole - 1).form, "streamed");
    const room = parts - (parts % 1000) + 1000;
    assert.equal(requireFit(deep, large, room).form, "streamed");
    // What is left over keeps graphs loaded.
    assert.equal(requireFit(deep, large, room + 1000).staying - requireFit(deep, large, room).staying, 800);
    assert.ok(requireFit(deep, large, parts).staying >= STAYING);

    const { fits, instead } = fit(deep, large, parts - 1);
    assert.equal(fits, false);
    assert.ok(instead!.batch < large.batch && instead!.batch * instead!.accumulate >= large.batch);
    assert.equal(requireFit(deep, { ...large, ...instead }, parts - 1).form, "streamed");
    assert.throws(
      () => requireFit(deep, large, parts - 1),
      (error) =>
        error instanceof PermanentError &&
        error.message.includes(`training.batch ${instead!.batch} with training.accumulate ${instead!.accumulate} `),
    );
    assert.throws(() => requireFit(deep, large, 1000), /fit in no batch/);
    assert.equal(fit(deep, large, 1000).instead, undefined);
    assert.equal(fit(checkpoint, planned, availableMemory()).form, "fused");
    assert.equal(availableMemory(1000), 1000);
  });

  it("counts a graph for each length of the batches, and the judging of what is held out", () => {
    const lengths = (shapes: number, spare: number) => {
      const { memory, further } = planTraining(checkpoint, { ...planned, shapes });
      return requireFit(checkpoint, { ...planned, shapes }, memory.total + spare * further).loaded;
    };
    assert.deepEqual([lengths(3, 0), lengths(3, 1.2), lengths(3, 9), lengths(9, 9)], [1, 2, 3, 4]);
    const [without, held] = [false, true].map((heldOut) => planTraining(checkpoint, { ...planned, heldOut }).memory);
    assert.ok(held!.total > without!.total + planJudging(checkpoint, planned).further);
    const [one, four] = [1, 4].map((shapes) => planStreamed(checkpoint, { ...planned, shapes }).memory.base);
    assert.equal(four, 4 * one!);
    assert.equal(planStreamed(checkpoint, { ...planned, heldOut: true }).memory.base, 2 * one!);
  });

  it("of packed rows is that of the batches which take the most memory, and nothing is begun that may not fit", () => {
    const apart: PlannedTraining = { ...planned, batch: 64, length: 64 };
    const together = { ...apart, packing: true };
    for (const plan of [planTraining, planStreamed]) {
      const worst = plan(checkpoint, together);
      assert.equal(worst.shape.packed, true);
      assert.ok(worst.shape.length > 64, JSON.stringify(worst.shape));
      assert.ok(worst.memory.total > plan(checkpoint, apart).memory.total);
      for (const { rows, length } of worstLayouts(64, 64)) {
        const { memory } = plan(checkpoint, { ...apart, batch: rows, length });
        assert.ok(worst.memory.total > memory.total, `${rows} x ${length}`);
      }
    }
    const between = planTraining(checkpoint, together).memory.total - 1;
    assert.equal(requireFit(checkpoint, apart, between).form, "fused");
    assert.notEqual(fit(checkpoint, together, between).form, "fused");
    assert.throws(
      () => requireFit(checkpoint, { ...together, batch: 65_536 }, between),
      /tokens at once, packed, takes /,
    );
  });

  it("of a streamed step counts the forward pass twice, and grows with the depth by borders and optimiser only", async () => {
    const [few, many] = [await hollow(4), await hollow(40)];
    const [fused, streamed] = [planTraining(many, planned), planStreamed(many, planned)];
    assert.ok(streamed.flops > 1.2 * fused.flops && streamed.flops < 1.6 * fused.flops);
    const { memory } = planStreamed(few, planned);
    const border = 2 * planned.batch * planned.length * many.config.hidden;
    assert.equal(streamed.memory.activations - memory.activations, 36 * border);
    const [one, three] = [1, 3].map((accumulate) => planStreamed(few, { ...planned, accumulate }).memory.activations);
    assert.equal(three! - one!, 2 * (5 * border + 4 * border), "five borders in 16 bits, a gradient twice in 32");
    assert.equal(streamed.memory.base, memory.base);
    assert.equal(streamed.memory.state - memory.state, 32 * (streamed.trained - planStreamed(few, planned).trained));
  });

  it("of judging says when the whole model is too much", () => {
    const { total, further } = planJudging(checkpoint, { spec, length: 64 });
    assert.deepEqual(fitJudging(checkpoint, { spec, length: 64 }, total), { form: "fused", loaded: 1 });
    assert.equal(fitJudging(checkpoint, { spec, length: 64 }, total - 1).form, "streamed");
    assert.equal(fitJudging(checkpoint, { spec, length: 64 }, total + 2.3 * further).loaded, 3);
  });
});

describe("the rate of matrix products", () => {
  it("is measured on the device", async () => {
    const rate = await measureGemmRate({ device: "cpu", threads: 1 }, 3);
    assert.ok(rate > 1e8 && rate < 1e14, `${rate}`);
  });
});
