import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { comparePass, STAGES, type Stage, type StageRun } from "../../bench/support/passStages.ts";
import { openCheckpoint, type StoredWeight } from "../../learning/model/checkpoint.ts";
import { ExitCode, FlockError } from "../../protocol/errors.ts";

const program = join(import.meta.dirname, "..", "..", "bench", "support", "passProgram.ts");
const hfConfig = {
  ...{ model_type: "qwen2", hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 2, num_hidden_layers: 2 },
  ...{ intermediate_size: 96, vocab_size: 263, tie_word_embeddings: true, rms_norm_eps: 1e-6 },
  max_position_embeddings: 64,
};

test("a pass judges the merged model that it wrote, and fails where its losses are others", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "flock-pass-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "source"));
  const run = async (stage: Stage): Promise<StageRun> => {
    const task = { stage, folder, hfConfig, steps: 2, length: 16, threads: 1 };
    return JSON.parse((await promisify(execFile)(process.execPath, [program, JSON.stringify(task)])).stdout);
  };
  const runs: Partial<Record<Stage, StageRun>> = {};
  for (const stage of STAGES) runs[stage] = await run(stage);
  const { train, validate, merged } = runs as Record<Stage, StageRun>;
  assert.deepEqual([train.losses.length, validate.losses.length, merged.losses.length], [2, 4, 4]);
  const difference = comparePass({ validate, merged });
  assert.ok(difference > 0 && difference < 0.01, `${difference}`);

  // The last norm once more, eight times as large: bfloat16's exponent begins at bit 7.
  const home = join(folder, "merged");
  const { weights } = await openCheckpoint(home);
  const { file, offset, bytes } = weights.get("model.norm.weight") as StoredWeight;
  const all = await readFile(join(home, file));
  for (let at = offset; at < offset + bytes; at += 2) all.writeUInt16LE(all.readUInt16LE(at) + (3 << 7), at);
  await writeFile(join(home, file), all);
  const isDifference = (error: unknown) => error instanceof FlockError && error.exitCode === ExitCode.difference;
  const changed = await run("merged");
  assert.throws(() => comparePass({ validate, merged: changed }), isDifference);
  assert.throws(
    () => comparePass({ validate, merged: { ...merged, losses: merged.losses.slice(1, 2) } }),
    isDifference,
  );
});
