import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Ajv } from "ajv";
import { root } from "../../tools/files.ts";
import { descendants } from "../support/processTree.ts";
import {
  assertAuditFindsNothing,
  assertLossFalls,
  assertNobodyHonestSlashed,
  assertPoisonerPays,
  type Figures,
  start,
  startArguments,
} from "../support/start.ts";

describe("npm start", () => {
  let figures: Figures;
  let printed: string;

  before(async () => {
    ({ figures, printed } = await start(["--seed", "1"]));
  });

  test("writes figures that keep to the schema", async () => {
    const schema = JSON.parse(await readFile(join(root, "docs", "npm-start.schema.json"), "utf8")) as object;
    const validate = new Ajv({ allErrors: true }).compile(schema);
    assert.ok(validate(figures), JSON.stringify(validate.errors));
  });

  test("settles every round and moves the head in each", () => {
    assert.deepEqual(
      figures.rounds.map(({ status }) => status),
      ["settled", "settled", "settled"],
    );
    assert.equal(figures.audit.headsChecked, 3);
  });

  test("lowers the held-out loss on every domain", () => assertLossFalls(figures));
  test("rejects the poisoner, whose stake shrinks, and accepts everybody else", () => assertPoisonerPays(figures));
  test("slashes nobody honest", () => assertNobodyHonestSlashed(figures));
  test("audits itself without a difference", () => assertAuditFindsNothing(figures));

  test("prints plain tables into a pipe", () => {
    assert.match(printed, /Round 3 of 3: settled/);
    assert.match(printed, /Held-out data, before and after/);
    assert.ok(!printed.includes("\u001b"), "an escape sequence in a pipe");
  });
});

test("Ctrl-C ends everything that npm start started", async () => {
  const child = spawn(process.execPath, startArguments(["--rounds", "1"]), {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (bytes: Buffer) => {
    printed += bytes.toString();
  });
  while (!printed.includes("workers started")) {
    assert.equal(child.exitCode, null, printed);
    await sleep(100);
  }
  const started = await descendants(child.pid as number);
  assert.ok(started.length > 9, `${started.length} processes`);
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  assert.equal(code, 130);
  // What holds a server looks at its channel to us; it may need a moment.
  for (let left = started; left.length > 0; left = left.filter(isAlive)) await sleep(100);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
