import assert from "node:assert/strict";
import { test } from "node:test";
import { UnrecoverableError } from "bullmq";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { backoff, fromFailedReason, toQueueError } from "../../../workers/queue/failures.ts";
import { checkJob, jobId, queueNamespace } from "../../../workers/queue/jobs.ts";

test("a job's id is its kind and its facts", () => {
  assert.equal(jobId("train", 1n, 7, "0xAb"), "train-1-7-0xAb");
  assert.throws(() => jobId("train", "a:b"), PermanentError);
  assert.throws(() => jobId("1", 2), PermanentError);
});

test("a payload of exactly 4 KiB passes, one byte more does not", () => {
  const job = (length: number) => ({ id: "a", kind: "a", data: { x: "y".repeat(length - '{"x":""}'.length) } });
  checkJob(job(4096));
  assert.throws(() => checkJob(job(4097)), PermanentError);
});

test("the namespace tells chains with one id apart", () => {
  const at = (genesis: string) => queueNamespace({ chainId: 31337, genesis, operator: "0xAbCd" });
  assert.equal(at("0x1234567890"), "flock-31337-12345678-0xabcd");
  assert.notEqual(at("0x1234567890"), at("0x9934567890"));
});

test("only a permanent error ends the tries, and the stored reason remembers it", () => {
  const permanent = toQueueError(new PermanentError("Wrong bytes."));
  assert.ok(permanent instanceof UnrecoverableError);
  assert.deepEqual(fromFailedReason(permanent.message), { message: "Wrong bytes.", permanent: true });
  const passing = toQueueError(new PassingError("Away."));
  assert.ok(!(passing instanceof UnrecoverableError));
  assert.deepEqual(fromFailedReason(passing.message), { message: "Away.", permanent: false });
  assert.ok(!(toQueueError("text") instanceof UnrecoverableError));
});

test("waits double up to a minute and differ from one another", () => {
  const waits = Array.from({ length: 50 }, () => backoff(3));
  assert.ok(waits.every((wait) => wait >= 2_000 && wait <= 4_000));
  assert.ok(new Set(waits).size > 1);
  assert.ok(backoff(40) <= 60_000 && backoff(40) >= 30_000);
});
