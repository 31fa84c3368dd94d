import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { windowsOf } from "../../../workers/cli/perplexity.ts";

const tiny = join(import.meta.dirname, "..", "..", "..", "models", "tiny");
const MEBIBYTE = 2 ** 20;

let file: string;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-text-"));
  file = join(folder, "text.txt");
});
after(() => rm(folder, { recursive: true }));

const windows = async (most: number) => windowsOf(file, tiny, await openCheckpoint(tiny), most);

describe("a text that is measured", () => {
  test("is read no further than 16 MiB, however long it is", async () => {
    await writeFile(file, "The beginning of a long text. ".repeat(100));
    const wanted = await windows(2);
    assert.equal(wanted.length, 2);
    await truncate(file, 3000 * MEBIBYTE); // more than one buffer may hold; no place on the disk
    assert.deepEqual(await windows(2), wanted);
  });

  test("may have a letter of several bytes where it is cut, but none that is cut at its own end", async () => {
    await writeFile(file, "A beginning. ".repeat(100));
    await truncate(file, 16 * MEBIBYTE - 1);
    await appendFile(file, "é");
    assert.equal((await windows(1)).length, 1);
    await truncate(file, 16 * MEBIBYTE);
    await assert.rejects(windows(1), /text\.txt is not UTF-8/);
  });
});
