import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { openCompute } from "../../workers/compute/client.ts";
import { openStore } from "../../workers/store/store.ts";
import { tinyTraining } from "./operatorRoom.ts";
import type { TinyTask } from "./tinyTask.ts";

/**
 * On a disk that is small and its own: trains while the disk fills up, then with room again, and puts the update into a store on a full disk and on one with
 * room. Tells as JSON what went wrong and which files were there.
 */
const [dir, taskJson, head] = process.argv.slice(2) as [string, string, string];
const task = JSON.parse(taskJson) as TinyTask;
const filler = join(dir, "filler");

/** Takes all the room that there is. */
async function fill(): Promise<void> {
  const file = await open(filler, "a");
  try {
    for (let size = 65_536; size >= 1; size /= 2) {
      for (;;) {
        const done = await file.write(Buffer.alloc(size)).catch(() => undefined);
        if (done === undefined) break;
      }
    }
  } finally {
    await file.close();
  }
}

type Failure = { name: string; message: string; files: string[] };
async function failureOf(work: Promise<unknown>, folder: string): Promise<Failure | null> {
  try {
    await work;
    return null;
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message, files: (await readdir(folder)).sort() };
  }
}

const compute = openCompute({
  settings: { manifest: task.manifestFile, model: task.model, device: "cpu", threads: 1 },
  limits: { silence: 120, limit: 600 },
});
const scratch = join(dir, "scratch");
const training = { ...tinyTraining, steps: 600, every: 5 };
const work = { head, data: task.trainData, training, seed: "full", out: join(scratch, "update") };
let filling: Promise<void> | undefined;
const onProgress = (done: number) => {
  if (done >= 12) filling ??= fill();
};
const training1 = await failureOf(compute.run("train", work, { onProgress }), scratch);
await filling;
await rm(filler, { force: true });
const steps: number[] = [];
const { sha256 } = await compute.run("train", work, { onProgress: (done) => steps.push(done) });
await compute.close();

const place = join(dir, "store");
const store = await openStore(place, { keepFree: -(2 ** 40) }); // so that it does not refuse in time
await fill();
const storing = await failureOf(store.put(Buffer.alloc(20_000, 7)), place);
await rm(filler);
const kept = await store.put(Buffer.alloc(20_000, 7));
const told = { training: training1, resumedAfter: steps[0], sha256, storing, kept: await store.has(kept) };
console.log(JSON.stringify(told));
