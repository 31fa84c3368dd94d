import assert from "node:assert/strict";
import { test } from "node:test";
import { openLog } from "../../workers/log.ts";

test("secrets and passwords in URLs never reach a log line", () => {
  const lines: string[] = [];
  const log = openLog({ name: "test", destination: { write: (line) => lines.push(line) } });
  log.info({ privateKey: "0xdeadbeef", job: { salt: "0xdeadbeef", round: 7 } }, "to redis://user:deadbeef@host:1/0");
  const line = lines.join("");
  assert.ok(!line.includes("deadbeef"), line);
  assert.match(line, /"round":7/);
  assert.match(line, /redis:\/\/user:\[secret\]@host:1/);
});
