import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { artifactSize, digest } from "../../learning/artifact/artifact.ts";
import { PermanentError } from "../../protocol/errors.ts";
import { openRecipe } from "../../workers/compute/recipe.ts";
import { checkModel, readMaterials } from "../../workers/materials.ts";
import { openResults } from "../../workers/results.ts";
import { makeTinyTask, type TinyTask } from "../support/tinyTask.ts";

describe("a task's materials", () => {
  let folder: string;
  let task: TinyTask;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-materials-"));
    task = await makeTinyTask(folder);
  });
  after(() => rm(folder, { recursive: true }));
  const names = () => ({ manifest: task.manifestFile, model: task.model });
  const check = () => checkModel(task.manifest, task.model, openResults(join(folder, "results")));

  test("say how long an artifact is without reading weights", async () => {
    const { digest: named, artifactBytes } = await readMaterials(names());
    assert.equal(named, task.digest);
    assert.equal(artifactBytes, artifactSize((await openRecipe(names())).layout));
  });

  test("name the manifest or the model's file that is missing or malformed", async () => {
    const file = join(folder, "broken.json");
    await writeFile(file, "{");
    await assert.rejects(readMaterials({ ...names(), manifest: file }), /The manifest .* is not JSON: see line/);
    await assert.rejects(
      readMaterials({ ...names(), manifest: join(folder, "none") }),
      /manifest .*none cannot be read/,
    );
    await assert.rejects(readMaterials({ ...names(), model: folder }), /config\.json cannot be read/);
  });

  test("are not opened if the model has a file that the manifest does not pin", async () => {
    for (const path of ["config.json", "model.safetensors", "tokenizer_config.json"]) {
      const files = task.manifest.base.files.filter((file) => file.path !== path);
      const manifest = join(folder, "loose.json");
      await writeFile(manifest, JSON.stringify({ ...task.manifest, base: { name: "tiny", files } }));
      await assert.rejects(openRecipe({ ...names(), manifest }), new RegExp(`do not name ${path}`));
    }
  });

  test("are not opened if the chat template is not pinned, or the tokenizer is another model's", async () => {
    const template = join(task.model, "chat_template.jinja");
    await writeFile(template, "{{ messages }}");
    await assert.rejects(openRecipe(names()), /do not name chat_template\.jinja/);
    await rm(template);
    const file = join(task.model, "tokenizer.json");
    const text = await readFile(file, "utf8");
    const json = JSON.parse(text);
    json.model.vocab.stranger = 263;
    await writeFile(file, JSON.stringify(json));
    await assert.rejects(openRecipe(names()), /has 264 tokens, but the model only 263/);
    await writeFile(file, text);
  });

  test("are refused if a weight is no number, even where the manifest says so", async () => {
    const model = join(folder, "infinite");
    await mkdir(model);
    const bytes = await readFile(join(task.model, "model.safetensors"));
    bytes.writeFloatLE(Number.NaN, bytes.length - 4);
    await writeFile(join(model, "model.safetensors"), bytes);
    const file = { path: "model.safetensors", sha256: digest(bytes), bytes: bytes.length };
    const manifest = { ...task.manifest, base: { name: "tiny", files: [file] } };
    const results = openResults(join(folder, "results"));
    for (const _ of ["the first time", "and again"]) {
      await assert.rejects(checkModel(manifest, model, results), /model\.norm\.weight" is infinite or no number/);
    }
  });

  test("are the files that the manifest names, read once and again when they change", async () => {
    await check();
    const kept = (await readdir(join(folder, "results"))).length;
    await check();
    assert.equal((await readdir(join(folder, "results"))).length, kept);

    const file = join(task.model, "tokenizer.json");
    const { size } = await stat(file);
    await appendFile(file, " ");
    await assert.rejects(check(), (error: Error) => {
      return (
        error instanceof PermanentError && /tokenizer\.json is not the file that the manifest names/.test(error.message)
      );
    });
    await truncate(file, size);
    await utimes(file, 1, 1); // the digest kept for another time does not count
    await check();
    await rm(file);
    await assert.rejects(check(), /tokenizer\.json is missing; get tiny/);
  });
});
