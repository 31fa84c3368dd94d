import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PermanentError } from "../../../protocol/errors.ts";
import { Role } from "../../../protocol/words.ts";
import type { Look } from "../../../workers/scheduler/look.ts";
import { trainForRound } from "../../../workers/trainer/trainer.ts";
import type { Trained } from "../../../workers/work.ts";
import { type OperatorRoom, openOperatorRoom, someLook, tinyTraining } from "../../support/operatorRoom.ts";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";

describe("training for a round", () => {
  let folder: string;
  let task: TinyTask;
  let room: OperatorRoom;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-trainer-"));
    task = await makeTinyTask(folder);
    room = await openOperatorRoom(join(folder, "room"), { task, operator: `0x${"a1".repeat(20)}`, moves: () => [] });
  });
  after(async () => {
    await room.close();
    await rm(folder, { recursive: true });
  });
  const train = (look: Look, round = 1, data: string | undefined = task.trainData) =>
    trainForRound(
      {
        ...room,
        look: async () => look,
        scratch: join(room.dir, "scratch"),
        curves: join(room.dir, "curves"),
        data,
        training: tinyTraining,
      },
      { round },
    );

  test("puts the update into the store and finds it the next time", async () => {
    const look = someLook(room, Role.Trainer);
    const first = (await train(look)) as Trained;
    assert.ok(await room.store.has(first.artifact));
    assert.deepEqual(await readdir(join(room.dir, "scratch")), []);
    await room.close(); // found, not computed
    assert.deepEqual(await train(look), first);
    room = await openOperatorRoom(room.dir, { task, operator: room.identity.operator, moves: () => [] });
  });

  test("trains the same update again when the disk was lost", async () => {
    const look = someLook(room, Role.Trainer);
    const before = (await train(look)) as Trained;
    await rm(join(room.dir, "store"), { recursive: true });
    await rm(join(room.dir, "results"), { recursive: true });
    await rm(join(room.dir, "heads"), { recursive: true });
    const reopened = await openOperatorRoom(room.dir, { task, operator: room.identity.operator, moves: () => [] });
    await room.close();
    room = reopened;
    assert.equal(((await train(look)) as Trained).artifact, before.artifact);
  });

  test("does nothing that is not due any more", async () => {
    const look = someLook(room, Role.Trainer);
    assert.deepEqual(await train(look, 2), { skipped: "it is not due any more" });
    const sealed = { ...look, situation: { ...look.situation, proposal: "sealed" as const } };
    assert.deepEqual(await train(sealed), { skipped: "it is not due any more" });
  });

  test("asks for data where the configuration names none", async () => {
    const other = { ...someLook(room, Role.Trainer) };
    const look = { ...other, situation: { ...other.situation, round: 2 } };
    const asked = trainForRound(
      {
        ...room,
        look: async () => look,
        scratch: join(room.dir, "scratch"),
        curves: join(room.dir, "curves"),
        data: undefined,
        training: tinyTraining,
      },
      { round: 2 },
    );
    await assert.rejects(asked, (error: Error) => error instanceof PermanentError && /data\.train/.test(error.message));
  });
});
