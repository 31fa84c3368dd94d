import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../../tools/files.ts";
import { commandOf, descendants } from "../support/processTree.ts";
import {
  assertAuditFindsNothing,
  assertNobodyHonestSlashed,
  assertPoisonerPays,
  type Figures,
  startArguments,
} from "../support/start.ts";

/** Between two kills: long enough for a worker to be at another step, short enough for all to fall in one round. */
const PAUSE_MS = 2500;

/** Process ids of the workers below `pid`, by configuration file. */
async function workersOf(pid: number): Promise<Map<string, number>> {
  const workers = new Map<string, number>();
  for (const child of await descendants(pid)) {
    const file = /flockctl\.ts worker --config (\S+)/.exec(await commandOf(child))?.[1];
    if (file !== undefined) workers.set(file, child);
  }
  return workers;
}

test("a round ends the same when every worker is killed and started again in the middle of it", async (context) => {
  const dir = await mkdtemp(join(tmpdir(), "flock-killed-"));
  context.after(() => rm(dir, { recursive: true, force: true }));
  const json = join(dir, "figures.json");
  const child = spawn(process.execPath, startArguments(["--rounds", "1", "--seed", "7", "--json", json]), {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (bytes: Buffer) => {
    printed += bytes.toString();
  });
  const ended = once(child, "exit");
  while (!printed.includes("workers started")) {
    assert.equal(child.exitCode, null, printed);
    await sleep(100);
  }

  const killed = new Set<string>();
  while (killed.size < 9 && child.exitCode === null) {
    const workers = await workersOf(child.pid as number);
    const next = [...workers].find(([file]) => !killed.has(file));
    if (next !== undefined) {
      killed.add(next[0]);
      process.kill(next[1], "SIGKILL");
    }
    await sleep(PAUSE_MS);
  }
  assert.equal(killed.size, 9, "the round was over before every worker was killed");
  const [code] = await ended;
  assert.equal(code, 0, printed);

  const figures = JSON.parse(await readFile(json, "utf8")) as Figures;
  assert.equal(figures.rounds[0]?.status, "settled");
  assertPoisonerPays(figures);
  assertNobodyHonestSlashed(figures);
  assertAuditFindsNothing(figures);
});
