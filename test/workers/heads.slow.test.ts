import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Hex } from "viem";
import { PassingError } from "../../protocol/errors.ts";
import { headId } from "../../protocol/rules/lineage.ts";
import { MissingArtifactError, withPatience } from "../../workers/artifacts.ts";
import type { HeadMove } from "../../workers/heads.ts";
import { type OperatorRoom, openOperatorRoom, tinyTraining } from "../support/operatorRoom.ts";
import { makeTinyTask, type TinyTask } from "../support/tinyTask.ts";

describe("heads built from the lineage", () => {
  let folder: string;
  let task: TinyTask;
  let author: OperatorRoom;
  const moves: HeadMove[] = [];
  const rooms: OperatorRoom[] = [];
  const open = async (name: string) => {
    const room = await openOperatorRoom(join(folder, name), {
      task,
      operator: `0x${"a1".repeat(20)}`,
      moves: () => moves,
    });
    rooms.push(room);
    return room;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-heads-"));
    task = await makeTinyTask(folder);
    author = await open("author");
    let parentId = task.digest;
    for (const round of [1, 3]) {
      const artifacts: Hex[] = [];
      for (const seed of [`${round} a`, `${round} b`]) {
        const out = join(folder, "out");
        const { file: head } = await author.heads.build(parentId, { endpoints: [] });
        const work = { head, data: task.trainData, training: tinyTraining, seed, out };
        await author.compute.run("train", work);
        artifacts.push(await author.store.put(await readFile(out)));
      }
      const step = { parentId, round, published: 3, artifacts, factors: [700n, 300n] };
      parentId = headId(step);
      moves.push({ ...step, headId: parentId });
    }
  });
  after(async () => {
    for (const room of rooms) await room.close();
    await rm(folder, { recursive: true });
  });
  const last = () => moves[1] as HeadMove;

  test("are the same bytes for everybody, wherever the artifacts come from", async () => {
    const own = await author.heads.build(last().headId, { endpoints: [] });
    const stranger = await open("stranger");
    const built = await stranger.heads.build(last().headId, { endpoints: [author.server.url] });
    assert.equal(built.digest, own.digest);
    for (const digest of last().artifacts) assert.ok(await stranger.store.has(digest));
    const zero = await stranger.heads.build(task.digest, { endpoints: [] });
    assert.notEqual(zero.digest, own.digest);
  });

  test("are kept: only the last move is replayed", async () => {
    const late = await open("late");
    await late.heads.build((moves[0] as HeadMove).headId, { endpoints: [author.server.url] });
    await rm(join(late.dir, "store"), { recursive: true });
    const again = await open("late");
    await again.heads.build(last().headId, { endpoints: [author.server.url] });
    assert.equal(await again.store.has((moves[0] as HeadMove).artifacts[0] as Hex), false);
  });

  test("cannot be built while an artifact is missing, and say so as something that may pass", async () => {
    const alone = await open("alone");
    await assert.rejects(alone.heads.build(last().headId, { endpoints: [] }), MissingArtifactError);
    const waiting = withPatience(() => alone.heads.build(last().headId, { endpoints: [] }), {
      patience: 0.1,
      pause: 0.05,
    });
    assert.equal(await waiting, undefined);
    const found = withPatience(() => alone.heads.build(last().headId, { endpoints: [author.server.url] }), {
      patience: 10,
    });
    assert.ok(await found);
  });

  test("are refused when the lineage does not lead to them or does not add up", async () => {
    const room = await open("strict");
    await assert.rejects(room.heads.build(`0x${"99".repeat(32)}`, { endpoints: [] }), PassingError);
    const [first, second] = moves as [HeadMove, HeadMove];
    moves[0] = { ...first, factors: [300n, 700n] };
    await assert.rejects(room.heads.build(second.headId, { endpoints: [] }), /does not follow/);
    moves[0] = first;
  });

  test("are built again where a kept one is damaged, or half of it was written", async () => {
    const room = await open("spoilt");
    const options = { endpoints: [author.server.url] };
    const whole = await room.heads.build(last().headId, options);
    const [parent] = moves as [HeadMove];
    for (const head of [last().headId, parent.headId, task.digest]) {
      const file = join(room.dir, "heads", `${head.slice(2)}.safetensors`);
      const bytes = await readFile(file);
      const { length } = bytes;
      bytes[length - 1] = (bytes[length - 1] as number) ^ 1;
      await writeFile(file, bytes);
      if (file !== whole.file) await rm(whole.file); // so that the damaged one would be built on
      assert.equal((await room.heads.build(last().headId, options)).digest, whole.digest);
    }
    await writeFile(whole.file, (await readFile(whole.file)).subarray(0, 100));
    assert.equal((await room.heads.build(last().headId, options)).digest, whole.digest);
    await rm(`${whole.file}.sha256`);
    assert.equal((await room.heads.build(last().headId, options)).digest, whole.digest);
    assert.equal((await readFile(`${whole.file}.sha256`, "utf8")).slice(0, 42), whole.digest);
  });

  test("do not take a damaged copy for the artifact", async () => {
    const room = await open("damaged");
    const digest = last().artifacts[0] as Hex;
    const wrong = join(author.store.dir, (last().artifacts[1] as Hex).slice(2));
    await copyFile(wrong, join(room.store.dir, digest.slice(2)));
    const built = await room.heads.build(last().headId, { endpoints: [author.server.url] });
    assert.equal(built.digest, (await author.heads.build(last().headId, { endpoints: [] })).digest);
  });
});
