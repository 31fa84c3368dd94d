import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { InferenceSession } from "onnxruntime-node";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { openStreamedEvaluator } from "../../../learning/streamed/streamedEvaluator.ts";
import { type TrainParameters, train } from "../../../learning/train/trainer.ts";
import {
  examplesOf,
  type Family,
  factorsOf,
  families,
  familiesFolder,
  job,
  recipe,
  spec,
  writeFamily,
} from "../../support/families.ts";

const name = "qwen2.5-bf16";
const family = families[name] as Family;
const examples = examplesOf(family);
let folder: string;
let checkpoint: Checkpoint;
let start: Float32Array;
let expected: { losses: number[]; recipe: { losses: number[] } };
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-"));
  await writeFamily(folder, family);
  checkpoint = await openCheckpoint(folder);
  start = Float32Array.from(factorsOf(checkpoint.config).flatMap(({ b }) => [...b]));
  expected = JSON.parse(await readFile(join(familiesFolder, `${name}.json`), "utf8"));
});
after(() => rm(folder, { recursive: true }));

const streamed = (): Pick<
  TrainParameters,
  "checkpoint" | "spec" | "start" | "examples" | "device" | "threads" | "form"
> => ({
  ...{ checkpoint, spec, start, examples, device: "cpu", threads: 1, form: "streamed" },
});

describe("training group by group", () => {
  it("follows PyTorch's losses over 20 AdamW steps, up to the rounding at the borders", async () => {
    const { losses, form } = await train({ ...job, ...streamed() });
    assert.equal(form, "streamed");
    assertFollows(losses, expected.losses);
  });

  it("follows them in steps of two packed batches, clipped, with a rising and falling rate", async () => {
    const { losses } = await train({ ...recipe, ...streamed(), packing: true });
    assertFollows(losses, expected.recipe.losses);
  });

  it("goes on to the same bits after an interruption, and never from a state of the other form", async () => {
    const states: Uint8Array[] = [];
    const save = async (bytes: Uint8Array) => void states.push(bytes);
    const whole = await train({ ...recipe, ...streamed(), every: 7, saving: { save } });
    const again = await train({ ...recipe, ...streamed(), every: 7, saving: { save, saved: states[1] } });
    assert.equal(again.resumedAt, 14);
    assert.deepEqual(again.losses, whole.losses);
    assert.deepEqual(again.flat, whole.flat);
    assert.equal(again.graph, whole.graph);
    const fused = await train({
      ...recipe,
      ...streamed(),
      form: "fused",
      every: 7,
      saving: { save, saved: states[1] },
    });
    assert.equal(fused.resumedAt, 0);
    assert.notEqual(fused.graph, whole.graph);
  });

  it("looks at held-out examples, and ends before its last step when they get worse", async () => {
    const heldOut = { examples: examples.slice(0, 4), patience: 2 };
    const learning = { ...job, learningRate: 0.05, examples: examples.slice(4), every: 2 };
    const watched = await train({ ...streamed(), ...learning, heldOut });
    const looks = watched.heldOut.length;
    assert.equal(watched.losses.length, 2 * looks);
    assert.ok(looks < job.steps / 2, `${looks} looks`);
    assert.equal(watched.heldOut.indexOf(Math.min(...watched.heldOut)), looks - 1 - 2);
    const best = await train({ ...streamed(), ...learning, steps: 2 * (looks - 2) });
    assert.deepEqual(watched.flat, best.flat);
  });

  it("gives back all it loaded when it ends, and when it fails", async (t) => {
    const { mock } = t.mock.method(InferenceSession, "create");
    const released = async () => {
      const sessions = await Promise.all(mock.calls.map(({ result }) => result as Promise<InferenceSession>));
      assert.ok(sessions.length > 5);
      for (const session of sessions) await assert.rejects(session.release(), /disposed/);
      mock.resetCalls();
    };
    const heldOut = { examples: examples.slice(0, 4), patience: 1 };
    await train({ ...job, ...streamed(), steps: 2, every: 1, heldOut });
    await released();
    const onProgress = () => {
      throw new Error("no luck");
    };
    await assert.rejects(train({ ...job, ...streamed(), onProgress }), /no luck/);
    await released();
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(train({ ...job, ...streamed(), signal }), /enough/);
  });
});

describe("a streamed evaluator", () => {
  it("gives the losses and matches of the whole graph for examples of all lengths, in their order", async () => {
    const whole = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
    const parts = openStreamedEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
    try {
      const many = [...examples, ...examples.toReversed(), ...examples];
      const losses = await parts.losses(start, many);
      for (const [i, loss] of (await whole.losses(start, many)).entries()) {
        assert.ok(Math.abs((losses[i] as number) - loss) < 1e-3 * loss, `example ${i}: ${losses[i]}, not ${loss}`);
      }
      assert.deepEqual(await parts.exactMatch(start, many), await whole.exactMatch(start, many));
      await assert.rejects(parts.losses(start.subarray(1), many), /expected/);
    } finally {
      await whole.close();
      await parts.close();
    }
  });
});

function assertFollows(losses: readonly number[], expected: readonly number[]): void {
  assert.equal(losses.length, expected.length);
  for (const [i, loss] of expected.entries()) {
    assert.ok(Math.abs((losses[i] as number) - loss) < 2e-3 * loss, `step ${i}: ${losses[i]}, not ${loss}`);
  }
}
