import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { z } from "zod";
import { sha256OfFolder, writeFileAtomic } from "../../workers/files.ts";
import { openResults } from "../../workers/results.ts";

describe("kept results", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-results-"));
  });
  after(() => rm(folder, { recursive: true }));
  const schema = z.strictObject({ artifact: z.string() });

  test("are found again by the same inputs, in any order of the facts, by another process", async () => {
    await openResults(folder).put({ kind: "train", task: "1", round: 2 }, { artifact: "a" });
    const found = await openResults(folder).get({ round: 2, task: "1", kind: "train" }, schema);
    assert.deepEqual(found, { artifact: "a" });
  });

  test("are not found by other inputs", async () => {
    assert.equal(await openResults(folder).get({ kind: "train", task: "1", round: 3 }, schema), undefined);
  });

  test("count as none when the file is broken or says something else", async () => {
    const results = openResults(join(folder, "broken"));
    const inputs = { kind: "train", round: 1 };
    await results.put(inputs, { artifact: 7 });
    assert.equal(await results.get(inputs, schema), undefined);
    await results.put(inputs, { artifact: "b" });
    const [name] = await readdir(join(folder, "broken"));
    const file = join(folder, "broken", name as string);
    await writeFile(file, (await readFile(file, "utf8")).slice(0, 20));
    assert.equal(await results.get(inputs, schema), undefined);
  });

  test("leave no temporary file behind, even when writing fails", async () => {
    const place = join(folder, "whole");
    await writeFileAtomic(join(place, "file"), "bytes");
    await assert.rejects(writeFileAtomic(join(place, "file", "below"), "bytes"));
    assert.deepEqual(await readdir(place), ["file"]);
  });
});

test("a folder's digest changes with a file's name and content, not with other files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flock-folder-"));
  await writeFile(join(folder, "a.jsonl"), "1");
  const first = await sha256OfFolder(folder, ".jsonl");
  await writeFile(join(folder, "notes.txt"), "1");
  assert.equal(await sha256OfFolder(folder, ".jsonl"), first);
  await writeFile(join(folder, "a.jsonl"), "2");
  assert.notEqual(await sha256OfFolder(folder, ".jsonl"), first);
  await rm(folder, { recursive: true });
});
