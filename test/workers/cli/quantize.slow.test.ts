import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { safetensorsHeader } from "../../../learning/artifact/safetensors.ts";
import { encode, writeJsonl } from "../../../learning/data/examples.ts";
import { sizeOf } from "../../../learning/graph/shapes.ts";
import { adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { openBaseModel } from "../../../learning/model/baseModel.ts";
import { parseConfig } from "../../../learning/model/config.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { weightShapes } from "../../../learning/model/weights.ts";
import { ExitCode, PassingError } from "../../../protocol/errors.ts";
import { quantiseFolder } from "../../../workers/cli/quantisedFolder.ts";
import { canMount, limit, withSmallDisk } from "../../support/limits.ts";
import { writeRandomCheckpoint } from "../../support/randomCheckpoint.ts";
import { flockctl } from "../../support/workerTask.ts";

const tiny = join(import.meta.dirname, "..", "..", "..", "models", "tiny");
const program = join(import.meta.dirname, "..", "..", "support", "quantiseProgram.ts");
const config = {
  ...{ model_type: "llama", vocab_size: 263, hidden_size: 256, num_hidden_layers: 6, num_attention_heads: 4 },
  ...{ intermediate_size: 512, max_position_embeddings: 64, rms_norm_eps: 1e-5 },
};

const linux = process.platform === "linux" ? false : "leases are Linux's";

let folder: string;
let model: string;
let out: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-quantize-"));
  model = join(folder, "model");
  out = join(folder, "out");
  await writeRandomCheckpoint(model, config, { dtype: "BF16" });
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) await cp(join(tiny, name), join(model, name));
  await writeFile(join(model, "chat_template.jinja"), "{{ messages[0].content }}");
});
after(() => rm(folder, { recursive: true }));
afterEach(() => rm(out, { recursive: true, force: true }));

/** Names and contents of a folder's files. */
async function contents(dir: string): Promise<[string, string][]> {
  const names = (await readdir(dir)).sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(dir, name), "base64")]));
}

const quantise = (changes: Partial<Parameters<typeof quantiseFolder>[0]> = {}) =>
  quantiseFolder({ model, out, signal: new AbortController().signal, onProgress: () => {}, ...changes });

describe("flockctl quantize", () => {
  test("writes a whole base model in 4 bits, with tokenizer and template, and says what it takes and loses", async () => {
    const { code, stdout, stderr } = await flockctl(["quantize", "--model", model, "--out", out, "--json"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Quantizing: 50 %\n(.*\n)*Quantizing: 100 %/);
    const said = JSON.parse(stdout);
    const { checkpoint, files } = await openBaseModel(out);
    assert.equal(checkpoint.config.quantised, true);
    assert.deepEqual(said.files, checkpoint.files);
    assert.deepEqual([...files, "quantize.json"].sort(), (await readdir(out)).sort());
    assert.equal(said.bitsPerLinearWeight, 4.5);
    assert.equal(said.bitsPerWeight, (8 * said.bytesAfter) / said.weights);
    assert.ok(said.relativeError > 0.07 && said.relativeError < 0.1);
    assert.equal(said.text, null);
    const model4 = await flockctl(["model", "--dir", out]);
    assert.match(model4.stdout, new RegExp(`^weights\t${said.weights} in 4 bits, BF16; \\d+ MiB in memory$`, "m"));

    // Once more changes nothing, and says the same.
    const before = await contents(out);
    const again = await flockctl(["quantize", "--model", model, "--out", out, "--json"]);
    assert.deepEqual(JSON.parse(again.stdout), said);
    assert.deepEqual(await contents(out), before);
  });

  test("killed in the middle goes on behind its last whole file, to the same bytes", async () => {
    await quantise({ out: join(folder, "whole") });
    const whole = await contents(join(folder, "whole"));
    const { signal } = spawnSync(process.execPath, [program, model, out, "kill", "60"]);
    assert.equal(signal, "SIGKILL");
    const left = await readdir(out);
    assert.ok(left.includes("model-00003-of-00007.safetensors") && left.some((name) => name.endsWith(".part")));
    await assert.rejects(openBaseModel(out), /config\.json cannot be read/);
    let first: number | undefined;
    await quantise({
      onProgress: (done) => {
        first ??= done;
      },
    });
    assert.ok((first as number) > 0);
    assert.deepEqual(await contents(out), whole);
  });

  test("writes a file again that is missing or of another length", async () => {
    await quantise();
    const whole = await contents(out);
    await rm(join(out, "model-00002-of-00007.safetensors"));
    await writeFile(join(out, "model-00003-of-00007.safetensors"), "short");
    await quantise();
    assert.deepEqual(await contents(out), whole);
  });

  test("interrupted leaves no folder that can be opened, and no torn file under its own name", async () => {
    await quantise();
    const whole = new Map(await contents(out));
    await rm(out, { recursive: true });
    const controller = new AbortController();
    const onProgress = (done: number, total: number) => {
      if (done > total / 2) controller.abort(new DOMException("", "AbortError"));
    };
    await assert.rejects(quantise({ signal: controller.signal, onProgress }), /AbortError/);
    await assert.rejects(openBaseModel(out), /config\.json cannot be read/);
    const left = (await contents(out)).filter(([name]) => name.endsWith(".safetensors"));
    assert.ok(left.length > 0 && left.length < 7);
    for (const [name, bytes] of left) assert.equal(bytes, whole.get(name));
  });

  test("leaves a folder alone that another process writes into, until that ends, however it does", {
    skip: linux,
  }, async () => {
    const writer = spawn(process.execPath, [program, model, out, "stop", "60"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(writer, "exit");
    try {
      await once(writer.stdout, "data");
      const before = await readdir(out);
      assert.ok(before.some((name) => name.endsWith(".part")));
      await symlink(out, join(folder, "link"));
      const second = await flockctl(["quantize", "--model", model, "--out", join(folder, "link")]);
      assert.equal(second.code, ExitCode.unreachable);
      assert.match(
        second.stderr,
        /^Another `flockctl quantize` writes into .*link: wait until it ends, or name another/m,
      );
      assert.deepEqual(await readdir(out), before);
    } finally {
      writer.kill("SIGKILL");
      await ended;
    }
    await quantise();
    await openBaseModel(out);
    await quantise(); // in this process, too, the first has given it back
  });

  test("puts tokenizer and template into place as whole files", async () => {
    await quantise();
    const whole = await contents(out);
    for (const name of ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]) {
      await writeFile(join(out, name), "half");
      // Whoever writes into the file that is there also changes this name's.
      await link(join(out, name), join(folder, name));
    }
    await quantise();
    assert.deepEqual(await contents(out), whole);
    for (const name of ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]) {
      assert.equal(await readFile(join(folder, name), "utf8"), "half");
    }
  });

  test("touches no folder that is the model's, another's, begun for another model, or damaged", async () => {
    const refuses = (message: RegExp, changes?: Parameters<typeof quantise>[0]) =>
      assert.rejects(quantise(changes), (error: Error) => message.test(error.message) || assert.fail(error.message));
    await refuses(/--out must be another folder than the model's/, { out: join(folder, ".", "model") });
    await mkdir(out);
    await writeFile(join(out, "mine"), "mine");
    await refuses(/out is not empty, and was not begun by this command/);
    await rm(out, { recursive: true });
    await writeFile(out, "mine");
    await refuses(/out is no folder/);
    await refuses(/The folder .*inner cannot be written \(ENOTDIR\): name another as "--out"/, {
      out: join(out, "inner"),
    });
    await rm(out);
    await quantise();
    const other = join(folder, "other");
    await writeRandomCheckpoint(other, config, { dtype: "BF16", seed: "other" });
    await refuses(/out was begun for another model than .*other/, { model: other });
    await refuses(/out is quantised already/, { model: out, out: other });
    await writeFile(join(out, "quantize.json"), "{}");
    await refuses(/quantize\.json is damaged/);
  });

  test("names wrong options, a model that is damaged and a text that cannot be used, before any work", async () => {
    const wrong = await flockctl(["quantize", "--model", model, "--out", out, "--windows", "0"]);
    assert.deepEqual([wrong.code, /--windows must be a whole number/.test(wrong.stderr)], [2, true]);
    const torn = join(folder, "torn");
    await cp(model, torn, { recursive: true });
    const file = join(torn, "model.safetensors");
    await writeFile(file, (await readFile(file)).subarray(0, -2));
    const truncated = await flockctl(["quantize", "--model", torn, "--out", out]);
    assert.deepEqual([truncated.code, /model\.safetensors: the tensors end/.test(truncated.stderr)], [3, true]);
    const missing = await flockctl(["quantize", "--model", model, "--out", out, "--text", join(folder, "nowhere")]);
    assert.deepEqual([missing.code, /The text .*nowhere cannot be read/.test(missing.stderr)], [3, true]);
    await assert.rejects(readdir(out));
  });

  test("measures text by both models: pieces of it, or the completions of examples", async () => {
    const file = join(folder, "text.txt");
    await writeFile(file, "The loss of a piece counts all of its tokens but the first. é ".repeat(12));
    const measure = async (text: string, windows: number) => {
      const args = ["quantize", "--model", tiny, "--out", out, "--text", text, "--windows", String(windows), "--json"];
      const { code, stdout, stderr } = await flockctl(args);
      assert.equal(code, 0, stderr);
      assert.match(stderr, new RegExp(`Measuring ${windows} windows of text by both models`));
      return JSON.parse(stdout).text;
    };
    const { before, after, difference } = await measure(file, 2);
    assert.equal(before.perplexity, Math.exp(before.loss));
    assert.equal(difference, after.loss - before.loss);
    assert.ok(difference !== 0 && Math.abs(difference) < 0.5, `${difference}`);

    const examples = ["a", "bcd", "efghij"].map((completion) => ({ domain: "text", prompt: "say ", completion }));
    await writeFile(join(folder, "text.jsonl"), writeJsonl(examples));
    const { checkpoint, tokenizer } = await openBaseModel(tiny);
    const spec = { rank: 2, alpha: 1, targets: ["v_proj"], seed: "s" };
    const evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
    const flat = new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec)));
    const losses = await evaluator.losses(
      flat,
      examples.map((example) => encode(tokenizer, example, 64)),
    );
    await evaluator.close();
    // The completions' letters and their ends.
    const mean = losses.reduce((sum, loss, i) => sum + ([2, 4, 7][i] as number) * loss, 0) / 13;
    assert.ok(Math.abs((await measure(join(folder, "text.jsonl"), 3)).before.loss - mean) < 1e-5);
  });

  test("records no file that a limit cut short, and goes on when the limit is raised", async () => {
    await quantise();
    const whole = await contents(out);
    const file = "model-00003-of-00007.safetensors";
    const { size } = await stat(join(out, file));
    await rm(out, { recursive: true });
    limit(process.pid, "fsize", size - 40);
    try {
      await assert.rejects(
        quantise(),
        (error: Error) =>
          error instanceof PassingError && /A file in .*out grew beyond .*`ulimit -f`.* go on/.test(error.message),
      );
      assert.deepEqual(JSON.parse(await readFile(join(out, "quantize.json"), "utf8")).shards, {});
    } finally {
      limit(process.pid, "fsize", "unlimited");
    }
    await quantise();
    assert.deepEqual(await contents(out), whole);
  });

  // Some containers let nobody mount a disk.
  if (canMount()) {
    test("says what to do when the disk becomes full in the middle", async () => {
      const disk = join(folder, "disk");
      await mkdir(disk);
      const [command, ...args] = withSmallDisk(disk, 3000); // of which 2,600 would be enough, with the reserve
      const filled = [process.execPath, program, model, join(disk, "out"), "fill", "60"];
      const { status, stderr } = spawnSync(command, [...args, ...filled], { encoding: "utf8" });
      assert.equal(status, 1);
      assert.match(stderr, /The disk of .*out became full: make room and give the command again, to go on/);
    });
  }

  test("begins nothing without room on the disk", async () => {
    const huge = join(folder, "huge");
    await mkdir(huge);
    const shape = { ...config, vocab_size: 1 << 20, hidden_size: 32_768, num_hidden_layers: 1 };
    await writeFile(join(huge, "config.json"), JSON.stringify(shape));
    const shapes = weightShapes(parseConfig(JSON.stringify(shape)));
    const header = safetensorsHeader(shapes.map(({ name, shape }) => ({ name, shape, dtype: "F32" })));
    const file = join(huge, "model.safetensors");
    await writeFile(file, header);
    await truncate(file, header.length + shapes.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0)); // all holes
    const onProgress = () => assert.fail("it began");
    await assert.rejects(quantise({ model: huge, onProgress }), /The disk of .* too little to keep \d{6} MiB more/);
    assert.deepEqual(await readdir(out), []);
  });
});
