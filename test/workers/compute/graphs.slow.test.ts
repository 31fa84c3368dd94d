import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Hex } from "viem";
import { openCompute } from "../../../workers/compute/client.ts";
import { openGraphs } from "../../../workers/compute/graphs.ts";
import { ownProgram } from "../../../workers/compute/process.ts";
import { sha256OfFile } from "../../../workers/files.ts";
import { tinyTraining } from "../../support/operatorRoom.ts";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";

describe("graphs that are kept", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-graphs-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** Asks a new opening of a folder for the graph of some facts; says whether it was built. */
  async function ask(where: string, facts: unknown, model: Uint8Array, most?: number) {
    let built = false;
    const graphs = openGraphs(join(folder, where), { most });
    const given = await graphs(facts, () => {
      built = true;
      return model;
    });
    return { built, given: Buffer.from(given) };
  }
  const bytes = (...numbers: number[]) => Buffer.from(numbers);

  test("are built once for the same facts, and apart for others", async () => {
    assert.deepEqual(await ask("a", { length: 16 }, bytes(1, 2)), { built: true, given: bytes(1, 2) });
    assert.deepEqual(await ask("a", { length: 16 }, bytes(9)), { built: false, given: bytes(1, 2) });
    assert.deepEqual(await ask("a", { length: 32 }, bytes(3)), { built: true, given: bytes(3) });
  });

  test("are built anew where the file was changed, cut or emptied, and kept again", async () => {
    for (const damage of [
      (file: Buffer) => Buffer.concat([file.subarray(0, -1), bytes((file.at(-1) as number) ^ 1)]),
      (file: Buffer) => file.subarray(0, -1),
      () => Buffer.alloc(0),
    ]) {
      await ask("b", "facts", bytes(4, 5, 6));
      const [name] = (await readdir(join(folder, "b"))) as [string];
      const file = join(folder, "b", name);
      await writeFile(file, damage(await readFile(file)));
      assert.deepEqual(await ask("b", "facts", bytes(4, 5, 6)), { built: true, given: bytes(4, 5, 6) });
      assert.equal((await ask("b", "facts", bytes(0))).built, false);
    }
  });

  test("make room by those that were not used for longest", async () => {
    const size = 100;
    const model = (fill: number) => Buffer.alloc(size, fill);
    const most = 2 * (size + 32);
    for (const [i, facts] of ["old", "used"].entries()) {
      await ask("c", facts, model(i), most);
      for (const name of await readdir(join(folder, "c"))) {
        const file = join(folder, "c", name);
        const age = (await stat(file)).mtimeMs / 1000 - 60;
        await utimes(file, age, age);
      }
    }
    await ask("c", "old", model(0), most); // now it is the one that was used
    await ask("c", "third", model(2), most);
    assert.equal((await readdir(join(folder, "c"))).length, 2);
    assert.equal((await ask("c", "old", model(9), most)).built, false);
    assert.equal((await ask("c", "third", model(9), most)).built, false);
    assert.equal((await ask("c", "used", model(9), most)).built, true);
  });

  test("cost nothing but time where the folder cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    assert.deepEqual(await ask("file", "facts", bytes(7)), { built: true, given: bytes(7) });
  });
});

describe("a second start", () => {
  let folder: string;
  let task: TinyTask;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-second-"));
    task = await makeTinyTask(folder);
  });
  after(() => rm(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);

  /** Trains and validates in a new compute process. */
  async function work(out: string, graphs: string | undefined): Promise<{ update: Hex; graph: string; report: Hex }> {
    const compute = openCompute({
      settings: { manifest: task.manifestFile, model: task.model, device: "cpu", threads: 1, graphs },
      limits: { silence: 120, limit: 600 },
    });
    try {
      await compute.run("aggregate", { base: null, updates: [], published: 0, out: at("zero") });
      const training = { ...tinyTraining, heldOut: 2, every: 2 };
      const job = { head: at("zero"), data: task.trainData, training, seed: "a", out: at(out) };
      const { sha256: update, graph } = await compute.run("train", job);
      const proposals = [{ slot: 0, file: at(out), digest: await sha256OfFile(at(out)) }];
      const judging = { head: at("zero"), publicData: task.publicData, privateData: null, seed: "r", salt: "s" };
      const { sha256: report } = await compute.run("validate", { ...judging, proposals, out: at("report") });
      return { update, graph, report };
    } finally {
      await compute.close();
    }
  }

  /** The files by name, with what changes when one is written again. */
  async function kept(): Promise<Map<string, number>> {
    const names = (await readdir(at("graphs"))).sort();
    return new Map(
      await Promise.all(names.map(async (name) => [name, (await stat(join(at("graphs"), name))).ino] as const)),
    );
  }

  test("takes the graphs of training and judging that the first one kept, for the same bits; a damaged one is made again", async () => {
    const plain = await work("plain", undefined);
    assert.deepEqual(await work("first", at("graphs")), plain);
    const files = await kept();
    assert.ok(files.size >= 2);
    assert.deepEqual(await work("second", at("graphs")), plain);
    assert.deepEqual(await kept(), files, "nothing was made again");

    const whole = new Map<string, Buffer>();
    for (const name of files.keys()) {
      const file = join(at("graphs"), name);
      const bytes = await readFile(file);
      whole.set(name, bytes);
      await writeFile(file, Buffer.concat([bytes.subarray(0, 1000), Buffer.alloc(bytes.length - 1000)]));
    }
    assert.deepEqual(await work("third", at("graphs")), plain);
    for (const [name, bytes] of whole) assert.ok(bytes.equals(await readFile(join(at("graphs"), name))), name);
  });

  test("finds the program compiled, though the first one died of a signal", async () => {
    const cache = at("compiled");
    const child = fork(ownProgram, [], { env: { ...process.env, NODE_COMPILE_CACHE: cache }, execArgv: [] });
    await once(child, "message"); // it lives
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
    const compiled = await readdir(cache, { recursive: true, withFileTypes: true });
    assert.ok(compiled.filter((entry) => entry.isFile()).length > 100);
  });
});
