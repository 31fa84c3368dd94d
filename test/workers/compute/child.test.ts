import assert from "node:assert/strict";
import { access, appendFile, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Hex } from "viem";
import { probeDevice } from "../../../learning/train/device.ts";
import type { Engine, Report } from "../../../learning/validate/report.ts";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { MIN_SCORE, MISSING } from "../../../protocol/words.ts";
import { type Compute, openCompute } from "../../../workers/compute/client.ts";
import { sha256OfFile } from "../../../workers/files.ts";
import { tinyTraining } from "../../support/operatorRoom.ts";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";

const training = tinyTraining;

describe("the compute process", () => {
  let folder: string;
  let task: TinyTask;
  let compute: Compute;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-child-"));
    task = await makeTinyTask(folder);
    compute = openCompute({
      settings: { manifest: task.manifestFile, model: task.model, device: "cpu", threads: 1, weights: "mapped" },
      limits: { silence: 120, limit: 600 },
    });
    await compute.run("aggregate", { base: null, updates: [], published: 0, out: at("zero") });
  });
  after(async () => {
    await compute.close();
    await rm(folder, { recursive: true });
  });
  const at = (name: string) => join(folder, name);
  const train = (out: string, seed: string, data = task.trainData) =>
    compute.run("train", { head: at("zero"), data, training, seed, out: at(out) });
  const none: Hex = `0x${"00".repeat(32)}`;
  const proposal = async (slot: number, name: string) => ({
    slot,
    file: at(name),
    digest: await sha256OfFile(at(name)),
  });
  const validate = (proposals: { slot: number; file: string | null; digest: Hex }[], out = "report") =>
    compute.run("validate", {
      head: at("zero"),
      publicData: task.publicData,
      privateData: task.privateData,
      seed: "round",
      salt: "salt",
      proposals,
      out: at(out),
    });

  test("trains an update whose loss falls and whose norm keeps the bound, twice the same", async () => {
    const steps: number[] = [];
    const work = { head: at("zero"), data: task.trainData, training, seed: "a", out: at("a") };
    let engine: Engine = {};
    const result = await compute.run("train", work, {
      onProgress: (done) => steps.push(done),
      onEngine: (told) => {
        engine = told;
      },
    });
    assert.deepEqual(result.engine, {
      ...(await probeDevice({ device: "cpu" })),
      threads: 1,
      weights: "mapped",
      form: "fused",
    });
    assert.deepEqual(engine, result.engine);
    assert.ok(result.losses.last < result.losses.first);
    assert.ok(result.norm > 0 && result.norm <= task.manifest.adapter.maxNorm);
    assert.equal(result.sha256, await sha256OfFile(at("a")));
    assert.equal(steps.at(-1), training.steps);
    assert.equal((await train("again", "a")).sha256, result.sha256);
  });

  test("goes on where a killed process was, keeps no state afterwards, and draws the losses", async () => {
    const long = { ...training, steps: 40, every: 5 };
    const work = { head: at("zero"), data: task.trainData, training: long, seed: "long", curve: at("curve.svg") };
    const once = await compute.run("train", { ...work, out: at("once") });
    const abort = new AbortController();
    const until = (done: number) => {
      if (done >= 12) abort.abort(new Error("killed"));
    };
    const killed = compute.run(
      "train",
      { ...work, out: at("torn-update") },
      { onProgress: until, signal: abort.signal },
    );
    await assert.rejects(killed, /killed/);
    await access(at("torn-update.state"));
    const steps: number[] = [];
    const resumed = await compute.run(
      "train",
      { ...work, out: at("torn-update") },
      { onProgress: (done) => steps.push(done) },
    );
    assert.ok((steps[0] as number) > 5, `it went on at step ${steps[0]}`);
    assert.deepEqual(resumed, once);
    await assert.rejects(access(at("torn-update.state")));
    assert.match(await readFile(at("curve.svg"), "utf8"), /^<svg .*polyline/s);
  });

  test("begins anew from a damaged state", async () => {
    await writeFile(at("damaged.state"), "no state at all");
    await train("sound", "d");
    await train("damaged", "d");
    assert.equal(await sha256OfFile(at("damaged")), await sha256OfFile(at("sound")));
  });

  test("holds out examples and gives the best update on them", async () => {
    const some = { ...training, steps: 12, every: 4, heldOut: 4, patience: 2 };
    const work = { head: at("zero"), data: task.trainData, training: some, seed: "held", out: at("held") };
    const result = await compute.run("train", work);
    assert.ok((result.heldOut as number) > 0);
    assert.ok(result.steps <= 12);
  });

  test("builds the same head from the same updates in any order", async () => {
    await train("one", "one");
    await train("two", "two");
    const updates = [
      { file: at("one"), factor: "700" },
      { file: at("two"), factor: "300" },
    ];
    const build = (list: typeof updates, out: string) =>
      compute.run("aggregate", { base: at("zero"), updates: list, published: 3, out: at(out) });
    const { digest } = await build(updates, "next");
    assert.equal((await build(updates.toReversed(), "other")).digest, digest);
    assert.equal((await sha256OfFile(at("next"))).slice(0, 42), digest);
  });

  test("scores what was trained, what is malformed and what did not come", async () => {
    await train("good", "good");
    await copyFile(at("good"), at("bad"));
    await appendFile(at("bad"), "x");
    const result = await validate([
      await proposal(0, "good"),
      await proposal(1, "bad"),
      { slot: 2, file: null, digest: none },
    ]);
    assert.equal(result.scores.length, 3);
    assert.deepEqual(result.scores.slice(1), [MIN_SCORE, MISSING]);
    assert.equal(result.head, (await sha256OfFile(at("zero"))).slice(0, 42));
    assert.equal(result.sha256, await sha256OfFile(at("report")));
    const report = JSON.parse(await readFile(at("report"), "utf8")) as Report;
    assert.equal(report.proposals[0]?.score, result.scores[0]);
    assert.deepEqual(report.engine, {
      ...(await probeDevice({ device: "cpu" })),
      threads: 1,
      weights: "mapped",
      form: "fused",
    });
    assert.ok(report.own.examples.length > 0);
  });

  test("blames nobody for a copy that was damaged after it was fetched", async () => {
    await train("fetched", "fetched");
    const fetched = await proposal(0, "fetched");
    await appendFile(at("fetched"), "x");
    await assert.rejects(validate([fetched]), (error: Error) => {
      assert.ok(error instanceof PassingError);
      assert.match(error.message, /copy of 0x[0-9a-f]{64} .* was damaged and is removed/);
      return true;
    });
    await assert.rejects(access(at("fetched")), /ENOENT/);
  });

  test("names the file and line of a malformed example", async () => {
    const data = at("torn");
    await mkdir(data);
    await writeFile(join(data, "math.jsonl"), '{"prompt": "a", "completion": "b"}\n{"prompt": "a"}\n');
    await assert.rejects(train("none", "x", data), (error: Error) => {
      assert.ok(error instanceof PermanentError);
      assert.match(error.message, /math\.jsonl:2: "completion" is missing/);
      return true;
    });
  });

  test("refuses a public set that is not the manifest's", async () => {
    const file = join(task.publicData, "math.jsonl");
    const kept = await readFile(file);
    await appendFile(file, '{"prompt": "a", "completion": "b"}\n');
    await assert.rejects(
      validate([{ slot: 0, file: null, digest: none }]),
      /is not the public set of math that the manifest names/,
    );
    await writeFile(file, kept);
  });

  test("refuses a head and an update that are not of this task", async () => {
    await writeFile(at("junk"), "junk");
    const build = (base: string, updates: { file: string; factor: string }[]) =>
      compute.run("aggregate", { base, updates, published: 1, out: at("none") });
    await assert.rejects(build(at("junk"), []), PermanentError);
    await assert.rejects(build(at("zero"), [{ file: at("junk"), factor: "1" }]), PermanentError);
  });
});
