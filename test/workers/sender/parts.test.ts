import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import { PermanentError } from "../../../protocol/errors.ts";
import { raisedFees } from "../../../workers/sender/fees.ts";
import { type Intent, intentFromJson, intentId, intentToJson } from "../../../workers/sender/intents.ts";
import { openOutbox } from "../../../workers/sender/outbox.ts";
import { openTurns } from "../../../workers/sender/turns.ts";
import { someTerms } from "../../support/terms.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "flock-sender-test-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const digest: Hex = `0x${"ab".repeat(32)}`;
const someone = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const another = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const intents: Intent[] = [
  { kind: "openRound", task: 1n, round: 2 },
  { kind: "latchSeed", task: 1n, round: 2 },
  { kind: "settle", task: 1n, round: 2 },
  { kind: "commitProposal", task: 1n, round: 2, artifact: digest },
  { kind: "publishProposal", task: 1n, round: 2, artifact: digest },
  { kind: "commitBallot", task: 1n, round: 2, report: digest },
  { kind: "revealBallot", task: 1n, round: 2 },
  { kind: "accuseAbsence", task: 1n, round: 2, absent: someone },
  { kind: "announce", endpoint: "http://127.0.0.1:1" },
  { kind: "withdraw", task: 1n, operator: someone, owner: someone },
  { kind: "claim", task: 1n, operator: someone, owner: another },
  { kind: "acceptDelegation", task: 1n, commissionBps: 1250 },
  { kind: "setSigner", task: 1n, signer: another },
  { kind: "revokeSigner", task: 1n },
  { kind: "announceClose", task: 1n },
  { kind: "close", task: 1n },
  { kind: "sweepBurn" },
  { kind: "allow", id: "a", amount: 2n ** 90n },
  { kind: "stake", id: "a", task: 1n, role: 1, amount: 2n ** 90n },
  { kind: "delegate", id: "a", task: 1n, operator: someone, amount: 1n },
  { kind: "requestExit", id: "a", task: 1n, operator: someone, amount: 1n },
  { kind: "fund", id: "a", task: 1n, amount: 1n },
  { kind: "createTask", id: "a", terms: someTerms(), manifest: digest },
];

test("an intent survives the way through a job's payload", () => {
  for (const intent of intents) {
    assert.deepEqual(intentFromJson(JSON.parse(JSON.stringify(intentToJson(intent)))), intent);
  }
  assert.equal(new Set(intents.map(intentId)).size, intents.length, "each has a name of its own");
});

test("error: what is not an intent is refused with the wrong field named", () => {
  assert.throws(() => intentFromJson({ kind: "dance" }), PermanentError);
  assert.throws(() => intentFromJson({ kind: "settle", task: "1" }), /round/);
  assert.throws(() => intentFromJson({ kind: "settle", task: "1", round: 1, extra: 1 }), PermanentError);
  assert.throws(() => intentFromJson({ kind: "commitBallot", task: "1", round: 1, report: "0x12" }), /report/);
});

test("the outbox remembers across openings, and the newest entry of an id counts", () => {
  const file = join(dir, "outbox.sqlite");
  const intent = intents[5] as Intent;
  const first = openOutbox(file);
  const { seq } = first.plan(intent, { scores: "7" });
  first.sign(seq, { nonce: 4, dataHash: digest, hash: "0x01", raw: "0x02" });
  first.replace(seq, { hash: "0x03", raw: "0x04" });
  first.close();

  const second = openOutbox(file);
  const entry = second.newest(intentId(intent));
  assert.deepEqual(entry, {
    seq,
    id: intentId(intent),
    intent: intentToJson(intent),
    state: "signed",
    content: { scores: "7" },
    nonce: 4,
    transactions: [
      { hash: "0x01", raw: "0x02" },
      { hash: "0x03", raw: "0x04" },
    ],
    block: undefined,
    result: undefined,
    error: undefined,
  });
  second.mark(seq, "mined", { block: { number: 9n, hash: "0x05" }, result: { seats: 1 } });
  assert.deepEqual(second.newest(intentId(intent))?.block, { number: 9n, hash: "0x05" });
  const later = second.plan(intent);
  assert.equal(second.newest(intentId(intent))?.seq, later.seq);
  assert.deepEqual(
    second.inState("mined", "planned").map((one) => one.seq),
    [later.seq, seq],
  );
  second.close();
});

test("the same bytes cannot be kept for two acts", () => {
  const outbox = openOutbox(join(dir, "outbox.sqlite"));
  const [one, two] = [outbox.plan(intents[0] as Intent), outbox.plan(intents[1] as Intent)];
  outbox.sign(one.seq, { nonce: 1, dataHash: digest, hash: "0x01", raw: "0x02" });
  assert.throws(() => outbox.sign(two.seq, { nonce: 1, dataHash: digest, hash: "0x01", raw: "0x02" }));
  assert.equal(outbox.newest(intentId(intents[1] as Intent))?.state, "planned", "nothing half-written");
  outbox.close();
});

test("turns are taken one at a time, across openings of the same file", async () => {
  const [one, other] = [openTurns(join(dir, "turns")), openTurns(join(dir, "turns"))];
  let within = 0;
  let most = 0;
  const act = async () => {
    within += 1;
    most = Math.max(most, within);
    await sleep(20);
    within -= 1;
  };
  await Promise.all([one.take(act), other.take(act), one.take(act), other.take(act)]);
  assert.equal(most, 1);
  await assert.rejects(
    one.take(async () => Promise.reject(new Error("no"))),
    /no/,
  );
  await other.take(act);
  one.close();
  other.close();
});

test("the turn of a process that was killed is free again", async () => {
  const file = join(dir, "turns");
  const code = `
    const { openTurns } = await import(${JSON.stringify(new URL("../../../workers/sender/turns.ts", import.meta.url).href)});
    openTurns(${JSON.stringify(file)}).take(async () => { console.log("mine"); await new Promise(() => setInterval(() => {}, 1000)); });`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  const turns = openTurns(file);
  let taken = false;
  const turn = turns.take(async () => {
    taken = true;
  });
  await sleep(150);
  assert.equal(taken, false);
  holder.kill("SIGKILL");
  await turn;
  assert.equal(taken, true);
  turns.close();
});

test("a replacement pays an eighth more on both fees, or what the market asks", () => {
  const before = { maxFeePerGas: 100n, maxPriorityFeePerGas: 10n };
  const low = { maxFeePerGas: 50n, maxPriorityFeePerGas: 1n };
  assert.deepEqual(raisedFees(before, low, undefined), { maxFeePerGas: 113n, maxPriorityFeePerGas: 12n });
  const high = { maxFeePerGas: 300n, maxPriorityFeePerGas: 30n };
  assert.deepEqual(raisedFees(before, high, undefined), high);
  assert.deepEqual(raisedFees({ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }, low, undefined), low);
});

test("a replacement never pays more than the cap, nor eight times the market", () => {
  const market = { maxFeePerGas: 100n, maxPriorityFeePerGas: 10n };
  assert.equal(raisedFees({ maxFeePerGas: 100n, maxPriorityFeePerGas: 10n }, market, 112n), undefined);
  assert.notEqual(raisedFees({ maxFeePerGas: 100n, maxPriorityFeePerGas: 10n }, market, 113n), undefined);
  assert.equal(raisedFees({ maxFeePerGas: 800n, maxPriorityFeePerGas: 10n }, market, undefined), undefined);
});
