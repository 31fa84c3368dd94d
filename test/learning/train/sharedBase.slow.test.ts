import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeRandomCheckpoint } from "../../../bench/support/randomCheckpoint.ts";

const holder = fileURLToPath(new URL("../../support/baseHolder.ts", import.meta.url));
const skip = process.platform === "linux" ? false : "reads Linux's account of memory";
const MIB = 2 ** 20;

describe("a base that two processes train on", { skip }, () => {
  let folder: string;
  let bytes: number;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-shared-"));
    const size = { hidden: 768, layers: 8, heads: 12, feedForward: 2048, vocabulary: 512, positions: 64 };
    await writeRandomCheckpoint(folder, size);
    ({ size: bytes } = await stat(join(folder, "model.safetensors")));
  });
  after(() => rm(folder, { recursive: true }));

  test("is in memory once if it is mapped, and once for each if it is packed", async () => {
    const alone = bytes / MIB;
    const [packed, mapped] = [await privateMemory("packed"), await privateMemory("mapped")];
    const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
    const figures = `base ${alone.toFixed(0)} MiB; private packed ${packed}, mapped ${mapped}`;
    for (const each of packed) assert.ok(each > alone, figures);
    assert.ok(sum(mapped) < alone, figures);
  });

  /** MiB that each of two processes has for itself while both hold the base. */
  async function privateMemory(weights: "packed" | "mapped"): Promise<number[]> {
    const holders = [1, 2].map(() => fork(holder, [folder, weights], { execArgv: [] }));
    try {
      for (const { message } of await Promise.all(holders.map(saidSomething))) assert.equal(message, "holds");
      const memory = holders.map(({ pid }) => privateOf(pid as number));
      const ends = holders.map((child) => once(child, "exit"));
      for (const child of holders) child.send("end");
      await Promise.all(ends);
      return memory;
    } finally {
      for (const child of holders) child.kill("SIGKILL");
    }
  }
});

/** Its first message, or how it ended without one. */
async function saidSomething(child: ChildProcess): Promise<{ message: unknown }> {
  const message = once(child, "message").then(([said]) => said as unknown);
  const end = once(child, "exit").then(([code]) => `exit code ${code}`);
  return { message: await Promise.race([message, end]) };
}

function privateOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kibibytes = ["Private_Clean", "Private_Dirty"].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]),
  );
  return Math.round(kibibytes.reduce((a, b) => a + b) / 1024);
}
