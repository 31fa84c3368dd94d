import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { configSchema } from "../../workers/config.ts";
import { setupOf } from "../../workers/setup.ts";

test("differs once any of the data or the settings changed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flock-setup-"));
  const { training, compute } = configSchema.pick({ training: true, compute: true }).parse({});
  const data = { public: join(folder, "public"), train: join(folder, "train"), private: join(folder, "private") };
  for (const each of Object.values(data)) {
    await mkdir(each);
    await writeFile(join(each, "math.jsonl"), "{}\n");
  }
  const digest = () => setupOf({ data, training, compute });
  const digests = [await digest()];
  assert.equal(await digest(), digests[0]);
  for (const each of Object.values(data)) {
    await appendFile(join(each, "math.jsonl"), "{}\n");
    digests.push(await digest());
  }
  digests.push(await setupOf({ data: { ...data, private: undefined }, training, compute }));
  digests.push(await setupOf({ data, training: { ...training, steps: 3 }, compute }));
  assert.equal(new Set(digests).size, 6);
  await rm(folder, { recursive: true });
});
