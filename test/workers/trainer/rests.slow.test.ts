import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Hex } from "viem";
import { headId } from "../../../protocol/rules/lineage.ts";
import { Role } from "../../../protocol/words.ts";
import type { HeadMove } from "../../../workers/heads.ts";
import { openRests, type Rests } from "../../../workers/trainer/rests.ts";
import { trainForRound } from "../../../workers/trainer/trainer.ts";
import type { Trained } from "../../../workers/work.ts";
import { type OperatorRoom, openOperatorRoom, someLook, tinyTraining } from "../../support/operatorRoom.ts";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";

let folder: string;
let task: TinyTask;
let room: OperatorRoom;
let moves: HeadMove[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-rests-"));
  task = await makeTinyTask(folder);
  moves = [];
  room = await openOperatorRoom(join(folder, "room"), { task, operator: `0x${"a1".repeat(20)}`, moves: () => moves });
});
afterEach(async () => {
  await room.close();
  await rm(folder, { recursive: true });
});
const at = (name: string) => join(folder, name);
const files = () => readdir(at("rests"));

/** The artifact of a round's training from the head that was reached. */
async function train(round: number, rests: Rests | undefined): Promise<Hex> {
  const look = someLook(room, Role.Trainer);
  const head = moves.at(-1)?.headId ?? task.digest;
  const situation = { ...look.situation, round, headId: head };
  const outcome = await trainForRound(
    {
      ...{ ...room, look: async () => ({ ...look, situation }), scratch: at("scratch"), curves: at("curves") },
      ...{ rests, data: task.trainData, training: tinyTraining },
    },
    { round },
  );
  return (outcome as Trained).artifact;
}

function accept(round: number, ...artifacts: Hex[]): void {
  const parentId = moves.at(-1)?.headId ?? task.digest;
  const step = { parentId, round, published: 1, artifacts, factors: artifacts.map(() => 1n) };
  moves.push({ ...step, headId: headId(step) });
}

/** Forgets what was trained, so that it is trained again. */
const forget = () => rm(join(room.dir, "results"), { recursive: true });

describe("what rounding took from an update", () => {
  test("is added to the next round's if the update was accepted, and again if that round is trained again", async () => {
    const rests = openRests(at("rests"), 1n);
    const first = await train(1, rests);
    assert.deepEqual(await files(), [`task-1-round-1-${first.slice(2)}.safetensors`]);
    assert.deepEqual(await readdir(at("scratch")), []);
    accept(1, first);
    const plain = await train(2, undefined);
    await forget();
    const fed = await train(2, rests);
    assert.notEqual(fed, plain);
    await forget();
    assert.equal(await train(2, rests), fed, "the same update, whatever was kept meanwhile");
    accept(2, fed);
    await train(3, rests);
    assert.equal((await files()).length, 2, "what is no longer owed is gone");
  });

  test("is dropped if the update was rejected, and what an earlier one owes stays owed", async () => {
    const rests = openRests(at("rests"), 1n);
    const first = await train(1, rests);
    const fresh = await train(2, undefined);
    await forget();
    assert.equal(await train(2, rests), fresh, "round 1 was rejected");
    moves = [];
    accept(1, first);
    assert.match((await rests.owed(3, [first])) ?? "", /round-1-/);
  });

  test("of another task, another round's head or a later round is not used", async () => {
    const rests = openRests(at("rests"), 1n);
    const artifact = await train(1, rests);
    assert.equal(await openRests(at("rests"), 2n).owed(2, [artifact]), null);
    assert.equal(await rests.owed(2, [`0x${"00".repeat(32)}`]), null);
    assert.equal(await rests.owed(1, [artifact]), null);
    assert.notEqual(await rests.owed(2, [artifact]), null);
  });

  test("counts for nothing if its file is damaged", async () => {
    const rests = openRests(at("rests"), 1n);
    const artifact = await train(1, rests);
    accept(1, artifact);
    const plain = await train(2, undefined);
    const [name] = await files();
    const file = join(at("rests"), name as string);
    const whole = await readFile(file);
    const infinite = Buffer.from(whole);
    infinite.writeFloatLE(Number.POSITIVE_INFINITY, whole.length - 4);
    for (const damaged of [whole.subarray(0, -1), Buffer.from("junk"), infinite]) {
      await forget();
      await writeFile(file, damaged);
      assert.equal(await train(2, rests), plain);
    }
  });
});
