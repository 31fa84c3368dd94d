import assert from "node:assert/strict";
import { access, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readHeader, type SafetensorsTensor, writeSafetensors } from "../../../learning/artifact/safetensors.ts";
import { openBaseModel } from "../../../learning/model/baseModel.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { Stream } from "../../../learning/random.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { type MergedOptions, requireFree, writeMergedModel } from "../../../workers/cli/mergedModel.ts";
import { readPublicSet } from "../../../workers/compute/publicSet.ts";
import { openRecipe, type Recipe } from "../../../workers/compute/recipe.ts";
import { randomDelta } from "../../support/adapter.ts";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";

describe("a merged model of a task", () => {
  let folder: string;
  let out: string;
  let task: TinyTask;
  let recipe: Recipe;
  let options: MergedOptions;
  const told: string[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-merged-"));
    out = join(folder, "out");
    task = await makeTinyTask(folder);
    recipe = await openRecipe({ manifest: task.manifestFile, model: task.model });
    options = {
      ...{ model: task.model, flat: randomDelta(new Stream("merged", "head"), recipe.layout, 0.5) },
      ...{ folder: join(out, "merged"), float32: false, computing: { device: "cpu", threads: 1 } },
      examples: await readPublicSet(task.publicData, recipe),
      ...{ signal: new AbortController().signal, tell: (text) => void told.push(text) },
    };
  });
  after(() => rm(folder, { recursive: true }));
  const refuses = (own: Recipe, changed: Partial<MergedOptions>, message: RegExp) =>
    assert.rejects(
      writeMergedModel(own, { ...options, ...changed }),
      (error: Error) => message.test(error.message) || assert.fail(error.message),
    );

  test("is a whole base model of the task's files, read back and compared with base and adapter", async () => {
    const { folder: place, files, dtypes, comparison } = await writeMergedModel(recipe, options);
    assert.deepEqual(await readdir(out), ["merged"], "nothing else is left");
    assert.deepEqual((await readdir(place)).sort(), task.manifest.base.files.map(({ path }) => path).sort());
    assert.deepEqual((await openBaseModel(place)).files, (await openBaseModel(task.model)).files);
    assert.deepEqual(dtypes, ["F32"]);
    assert.equal(files.length, 1);
    assert.equal(comparison.examples, 8);
    assert.ok(comparison.largest < 1e-5 && comparison.mean <= comparison.largest, JSON.stringify(comparison));
    assert.notDeepEqual(
      await readFile(join(place, "model.safetensors")),
      await readFile(join(task.model, "model.safetensors")),
    );
    assert.match(told.join(""), /Merging model\.safetensors.*Reading it back.*Comparing the losses of 8 examples/s);
    await assert.rejects(requireFree(place), /is there already: remove it, or name another --out/);
    await rm(place, { recursive: true });
    await requireFree(place);
  });

  test("leaves nothing behind when it is interrupted, or a file of the base is missing", async () => {
    const controller = new AbortController();
    const tell = () => controller.abort(new Error("enough"));
    await refuses(recipe, { signal: controller.signal, tell }, /enough/);
    assert.deepEqual(await readdir(out), []);
    const late = new AbortController();
    const afterwards = (text: string) => {
      if (text.startsWith("Comparing")) late.abort(new Error("enough"));
    };
    await refuses(recipe, { signal: late.signal, tell: afterwards }, /enough/);
    assert.deepEqual(await readdir(out), []);
    const torn = join(folder, "torn");
    await cp(task.model, torn, { recursive: true });
    await rm(join(torn, "tokenizer.json"));
    await refuses(recipe, { model: torn }, /ENOENT.*tokenizer\.json/);
    assert.deepEqual(await readdir(out), []);
  });

  test("that says something else than base and adapter is refused, and does not appear", async () => {
    const other = join(folder, "other");
    await cp(task.model, other, { recursive: true });
    const file = join(other, "model.safetensors");
    const bytes = await readFile(file);
    const tensors = readHeader(bytes).tensors.map(
      ({ name, dtype, shape, offset, bytes: length }): SafetensorsTensor => {
        const data = Float32Array.from(
          new Float32Array(Uint8Array.from(bytes.subarray(offset, offset + length)).buffer),
        );
        return { name, dtype, shape, data: new Uint8Array(data.map((value) => 1.01 * value).buffer) };
      },
    );
    await writeFile(file, writeSafetensors(tensors));
    const strange = { ...recipe, checkpoint: await openCheckpoint(other) };
    await refuses(strange, {}, /losses differ by up to .* more than rounding explains \(0\.0001\)/);
    await assert.rejects(writeMergedModel(strange, options), PermanentError);
    await assert.rejects(access(options.folder));
    assert.deepEqual(await readdir(out), []);
  });
});
