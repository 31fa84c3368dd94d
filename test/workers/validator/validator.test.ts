import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Address, Hex } from "viem";
import type { Report } from "../../../learning/validate/report.ts";
import { PassingError } from "../../../protocol/errors.ts";
import { headId } from "../../../protocol/rules/lineage.ts";
import { ABSTAIN, MIN_SCORE, MISSING, Role } from "../../../protocol/words.ts";
import type { HeadMove } from "../../../workers/heads.ts";
import type { Look } from "../../../workers/scheduler/look.ts";
import { type StoreServer, serveStore } from "../../../workers/store/serve.ts";
import { NO_HEAD } from "../../../workers/validator/abstain.ts";
import { readBallot, validateRound } from "../../../workers/validator/validator.ts";
import type { Measured } from "../../../workers/work.ts";
import { type OperatorRoom, openOperatorRoom, someLook, tinyTraining } from "../../support/operatorRoom.ts";
import { makeTinyTask, type TinyTask } from "../../support/tinyTask.ts";

const proposer: Address = `0x${"b2".repeat(20)}`;
const absent: Hex = `0x${"ee".repeat(32)}`;

describe("validating a round", () => {
  let folder: string;
  let task: TinyTask;
  let trainer: OperatorRoom;
  let good: Hex;
  let malformed: Hex;
  const rooms: OperatorRoom[] = [];
  const open = async (name: string, moves: HeadMove[] = []) => {
    const operator: Address = `0x${"a1".repeat(20)}`;
    const room = await openOperatorRoom(join(folder, name), { task, operator, moves: () => moves });
    rooms.push(room);
    return room;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-validator-"));
    task = await makeTinyTask(folder);
    trainer = await open("trainer");
    const { file: head } = await trainer.heads.build(task.digest, { endpoints: [] });
    const out = join(folder, "update");
    await trainer.compute.run("train", { head, data: task.trainData, training: tinyTraining, seed: "s", out });
    good = await trainer.store.put(await readFile(out));
    malformed = await trainer.store.put(Buffer.from("no artifact"));
  });
  after(async () => {
    for (const room of rooms) await room.close();
    await rm(folder, { recursive: true });
  });

  const validate = (room: OperatorRoom, look: Look, patience = 3) => validateSeeing(room, async () => look, patience);
  const validateSeeing = (room: OperatorRoom, look: () => Promise<Look>, patience: number | undefined) =>
    validateRound(
      {
        ...room,
        ...{
          look,
          manifest: task.manifest,
          scratch: join(room.dir, "scratch"),
          salt: "salt",
          patience,
        },
        ...{ publicData: task.publicData, privateData: task.privateData },
      },
      { round: 1 },
    );
  const lookAt = (room: OperatorRoom, artifacts: Hex[], changes: Partial<Look> = {}) =>
    someLook(room, Role.Validator, {
      proposals: artifacts.map((artifact, slot) => ({ slot, operator: proposer, artifact })),
      endpointOf: (operator) => (operator === proposer ? trainer.server.url : undefined),
      ...changes,
    });

  test("fetches, measures, keeps the report and serves what it measured", async () => {
    const room = await open("whole");
    const measured = (await validate(room, lookAt(room, [good, malformed, absent]))) as Measured;
    assert.deepEqual(measured.scores.slice(1), [MIN_SCORE, MISSING]);
    assert.ok((measured.scores[0] as number) > MIN_SCORE);
    const report = JSON.parse(String(await room.store.get(measured.report))) as Report;
    assert.equal(report.head, measured.head);
    assert.ok(await room.store.has(good));
    assert.deepEqual(await readBallot(room.results, measured.report), { scores: measured.scores, head: measured.head });
  });

  test("finds what it measured before instead of measuring again", async () => {
    const room = await open("twice");
    const look = lookAt(room, [good]);
    const first = await validate(room, look);
    await room.compute.close();
    assert.deepEqual(await validate(room, look), first);
  });

  test("gives two validators with the same private data the same scores", async () => {
    const [one, two] = [await open("one"), await open("two")];
    const first = (await validate(one, lookAt(one, [good]))) as Measured;
    assert.deepEqual(await validate(two, lookAt(two, [good])), first);
  });

  test("abstains when the head cannot be built, and still says what is missing", async () => {
    const step = { parentId: task.digest, round: 1, published: 1, artifacts: [absent], factors: [1n] };
    const id = headId(step);
    const room = await open("headless", [{ ...step, headId: id }]);
    const look = lookAt(room, [good, absent]);
    const measured = (await validate(room, { ...look, situation: { ...look.situation, headId: id } })) as Measured;
    assert.deepEqual(measured.scores, [ABSTAIN, MISSING]);
    assert.equal(measured.head, NO_HEAD);
  });

  test("goes on asking for half of the phase, wherever those who were started again serve by then", async () => {
    const step = { parentId: task.digest, round: 1, published: 1, artifacts: [good], factors: [1n] };
    const id = headId(step);
    const room = await open("moved", [{ ...step, headId: id }]);
    const before = await serveStore(trainer.store);
    await before.close();
    let looks = 0;
    let after: StoreServer | undefined;
    const look = async () => {
      if (++looks > 2) after ??= await serveStore(trainer.store); // up only after it was asked in vain
      const url = after?.url ?? before.url;
      const seen = lookAt(room, [malformed], { now: 1000, endsAt: 1060, endpoints: [url], endpointOf: () => url });
      return { ...seen, situation: { ...seen.situation, headId: id } };
    };
    try {
      const measured = (await validateSeeing(room, look, undefined)) as Measured;
      assert.deepEqual(measured.scores, [MIN_SCORE]);
      assert.notEqual(measured.head, NO_HEAD);
    } finally {
      await after?.close();
    }
  });

  test("does nothing that is not due any more", async () => {
    const room = await open("late");
    const look = lookAt(room, [good]);
    const skipped = { skipped: "it is not due any more" };
    assert.deepEqual(await validate(room, { ...look, situation: { ...look.situation, ballot: "sealed" } }), skipped);
    assert.deepEqual(await validate(room, { ...look, situation: { ...look.situation, round: 2 } }), skipped);
  });

  test("waits for the seed, and for scores that are not at hand", async () => {
    const room = await open("early");
    await assert.rejects(validate(room, lookAt(room, [good], { seed: undefined })), PassingError);
    await assert.rejects(readBallot(room.results, absent), PassingError);
  });
});
