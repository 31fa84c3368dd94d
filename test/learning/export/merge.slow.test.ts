import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { writeRandomCheckpoint as writeLargeCheckpoint } from "../../../bench/support/randomCheckpoint.ts";
import { readHeader } from "../../../learning/artifact/safetensors.ts";
import { writeMerge } from "../../../learning/export/merge.ts";
import { planMerge } from "../../../learning/export/mergePlan.ts";
import { adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { openEvaluator } from "../../../learning/model/evaluator.ts";
import { PermanentError } from "../../../protocol/errors.ts";
import { sha256OfFile } from "../../../workers/files.ts";
import { examplesOf, type Family, factorsOf, families, spec, writeFamily } from "../../support/families.ts";
import { writeDecoded, writeQuantised } from "../../support/quantised.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-merge-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A family's base with its adapter merged into it. */
async function merged(name: string, { float32 = false, scale = 1 } = {}) {
  const [model, out] = [join(folder, "base"), join(folder, "merged")];
  await writeFamily(model, families[name] as Family);
  const checkpoint = await openCheckpoint(model);
  const flat = Float32Array.from(
    factorsOf(checkpoint.config).flatMap(({ b }) => [...b]),
    (value) => scale * value,
  );
  const merge = await planMerge({ model, checkpoint, spec, flat, dtype: float32 ? "F32" : undefined });
  return { model, out, checkpoint, flat, merge, files: await writeMerge(merge, out) };
}

async function lossesOf(model: string, flat: Float32Array, name: string): Promise<Float64Array> {
  const evaluator = await openEvaluator(await openCheckpoint(model), spec, { device: "cpu", threads: 1 });
  const losses = await evaluator.losses(flat, examplesOf(families[name] as Family));
  await evaluator.close();
  return losses;
}

/** Largest difference of an example's loss between base with adapter and merged model. */
async function difference(name: string, options?: { float32: boolean }): Promise<number> {
  const { model, out, flat } = await merged(name, options);
  const wanted = await lossesOf(model, flat, name);
  const found = await lossesOf(out, new Float32Array(flat.length), name);
  const unchanged = await lossesOf(model, new Float32Array(flat.length), name);
  assert.ok(Math.max(...wanted.map((loss, i) => Math.abs(loss - (unchanged[i] as number)))) > 0.01);
  return Math.max(...wanted.map((loss, i) => Math.abs(loss - (found[i] as number))));
}

const data = async (path: string) => {
  const bytes = await readFile(path);
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
};

describe("a merged model", () => {
  for (const [name, { dtype = "F32" }] of Object.entries(families)) {
    it(`of ${name} says in float32 what base and adapter say`, async () => {
      const largest = await difference(name, { float32: true });
      assert.ok(largest < 1e-5, String(largest));
    });
    if (dtype === "F32") continue;
    it(`of ${name} in ${dtype} says so up to what rounding costs`, async (t) => {
      const largest = await difference(name);
      t.diagnostic(`${largest} nats a token at most`);
      assert.ok(largest > 1e-6 && largest < (dtype === "F16" ? 2e-3 : 2e-2), String(largest));
    });
  }

  it("has the files, tensors and metadata of its base, in the same order and types", async () => {
    const { model, out, files } = await merged("qwen2.5-bf16");
    const [before, after] = await Promise.all([openCheckpoint(model), openCheckpoint(out)]);
    assert.deepEqual(after.files, before.files);
    assert.deepEqual(after.config, before.config);
    for (const { name, bytes, sha256 } of files) {
      assert.equal(await sha256OfFile(join(out, name)), sha256);
      const [from, to] = [await readFile(join(model, name)), await readFile(join(out, name))];
      assert.equal(to.length, bytes);
      const described = (header: ReturnType<typeof readHeader>) =>
        header.tensors.map((tensor) => [tensor.name, tensor.dtype, tensor.shape.join()]);
      assert.deepEqual(described(readHeader(to)), described(readHeader(from)));
      assert.deepEqual([...readHeader(to).metadata], [["format", "pt"]]);
    }
    const index = JSON.parse(await readFile(join(out, "model.safetensors.index.json"), "utf8"));
    const all = await Promise.all(files.map(({ name }) => data(join(out, name))));
    assert.equal(
      index.metadata.total_size,
      all.reduce((sum, { length }) => sum + length, 0),
    );
  });

  it("of a base in 4 bits has the numbers that its codes stand for, and the adapter", async () => {
    const [plain, model, decoded] = [join(folder, "plain"), join(folder, "quantised"), join(folder, "decoded")];
    const config = { ...families.llama2?.config, hidden_size: 32, intermediate_size: 64 };
    await writeFamily(plain, { config, longest: 30 });
    await writeQuantised(plain, model);
    await writeDecoded(model, decoded);
    const checkpoint = await openCheckpoint(model);
    const flat = Float32Array.from(factorsOf(checkpoint.config).flatMap(({ b }) => [...b]));
    const write = async (from: string, to: string) => {
      const merge = { model: from, checkpoint: await openCheckpoint(from), spec, flat };
      await writeMerge(await planMerge(merge), join(folder, to));
      return readFile(join(folder, to, "model.safetensors"));
    };
    const [found, wanted] = [await write(model, "found"), await write(decoded, "wanted")];
    const contents = (bytes: Buffer) =>
      new Map(readHeader(bytes).tensors.map((t) => [t.name, [t.dtype, bytes.subarray(t.offset, t.offset + t.bytes)]]));
    assert.deepEqual(contents(found), contents(wanted));
    assert.equal((await openCheckpoint(join(folder, "found"))).config.quantised, undefined);
    const [base, result] = [
      await lossesOf(model, flat, "llama2"),
      await lossesOf(join(folder, "found"), new Float32Array(flat.length), "llama2"),
    ];
    for (const [i, loss] of base.entries())
      assert.ok(Math.abs(loss - (result[i] as number)) < 1e-5, `${loss} ${result[i]}`);
  });

  it("with an adapter of zeros is the base, bit by bit", async () => {
    for (const name of ["llama2", "llama-linear-f16", "qwen2.5-bf16"]) {
      const { model, out, files } = await merged(name, { scale: 0 });
      for (const file of files) {
        assert.deepEqual(await data(join(out, file.name)), await data(join(model, file.name)), name);
      }
      await rm(model, { recursive: true });
      await rm(out, { recursive: true });
    }
  });

  it("stored in float32 says so in its configuration", async () => {
    const model = join(folder, "base");
    await writeFamily(model, families["qwen2.5-bf16"] as Family);
    const config = JSON.parse(await readFile(join(model, "config.json"), "utf8"));
    await writeFile(join(model, "config.json"), JSON.stringify({ ...config, torch_dtype: "bfloat16" }));
    const checkpoint = await openCheckpoint(model);
    const flat = new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec)));
    for (const [dtype, said] of [
      ["F32", "float32"],
      [undefined, "bfloat16"],
    ] as const) {
      const out = join(folder, said);
      await writeMerge(await planMerge({ model, checkpoint, spec, flat, dtype }), out);
      assert.equal(JSON.parse(await readFile(join(out, "config.json"), "utf8")).torch_dtype, said);
      const types = new Set([...(await openCheckpoint(out)).weights.values()].map((weight) => weight.dtype));
      assert.deepEqual([...types], [dtype ?? "BF16"]);
    }
  });

  it("whose numbers leave the range of their type is refused, the tensor named", async () => {
    await assert.rejects(
      merged("llama-linear-f16", { scale: 1e8 }),
      (error: Error) =>
        error instanceof PermanentError &&
        /"model\.layers\.0\.\w+\.\w+\.weight" with the adapter: /.test(error.message),
    );
  });

  it("is not finished when it is interrupted, and never takes a file that is there for its own", async () => {
    const { merge, out } = await merged("llama2");
    await assert.rejects(writeMerge(merge, out), /EEXIST/);
    const controller = new AbortController();
    const onFile = () => controller.abort(new Error("enough"));
    await assert.rejects(writeMerge(merge, join(folder, "other"), { signal: controller.signal, onFile }), /enough/);
    await assert.rejects(openCheckpoint(join(folder, "other")), /config\.json cannot be read/);
  });

  it("notices a base whose file became shorter", async () => {
    const { merge, model } = await merged("llama2");
    const file = join(model, "model.safetensors");
    await cp(file, join(folder, "whole"));
    await writeFile(file, (await readFile(file)).subarray(0, -4));
    await assert.rejects(writeMerge(merge, join(folder, "other")), /ends in the middle of "/);
  });

  it("takes the memory of a few rows, however large the model is", async () => {
    const program = join(import.meta.dirname, "..", "..", "support", "mergeProgram.ts");
    const peaks: number[] = [];
    const sizes: number[] = [];
    for (const layers of [1, 8]) {
      const [model, out] = [join(folder, `base-${layers}`), join(folder, `merged-${layers}`)];
      await mkdir(model);
      const size = { hidden: 768, layers, heads: 12, feedForward: 2048, vocabulary: 512, positions: 32 };
      await writeLargeCheckpoint(model, size);
      peaks.push(Number(execFileSync(process.execPath, [program, model, out], { encoding: "utf8" })));
      sizes.push((await stat(join(out, "model.safetensors"))).size);
      await rm(out, { recursive: true });
      await rm(model, { recursive: true });
    }
    const [small, large] = peaks as [number, number];
    const more = (sizes[1] as number) - (sizes[0] as number);
    assert.ok(more > 180 * 2 ** 20, String(more));
    assert.ok(large - small < 0.2 * more, `${small} bytes for the small one, ${large} for the large one`);
  });
});
