import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Hex } from "viem";
import { PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { readRound } from "../../../workers/chain/round.ts";
import { operatorKey } from "../../../workers/sender/key.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, type TestOperator } from "../../support/operators.ts";

const artifact: Hex = `0x${"a1".repeat(32)}`;
const report: Hex = `0x${"b1".repeat(32)}`;
const head: Hex = `0x${"cc".repeat(20)}`;

let local: LocalChain;
let room: OperatorsRoom;
let task: bigint;
let validators: TestOperator[];
const folders: string[] = [];
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  const staffed = await room.staffedTask();
  ({ task, validators } = staffed);
  const [trainer] = staffed.trainers as [TestOperator];
  await trainer.sender.send({ kind: "openRound", task, round: 1 });
  await local.client.mine({ blocks: 2 });
  await trainer.sender.send({ kind: "commitProposal", task, round: 1, artifact });
  await local.pass(100);
  await trainer.sender.send({ kind: "publishProposal", task, round: 1, artifact });
  await local.client.mine({ blocks: 1 });
});
after(async () => {
  await room.close();
  await local.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** The same operator on a machine that knows nothing: no outbox, no results, no reports. */
async function elsewhere({ account }: TestOperator, privateKey = account.privateKey) {
  const dir = await mkdtemp(join(tmpdir(), "flock-elsewhere-"));
  folders.push(dir);
  const key = operatorKey(privateKey, "a test", { operator: account.address });
  const readBallot = async () => assert.fail("nothing was measured here");
  return room.operator(0, { key, dir, readBallot }).sender;
}
const isNotOpened = (error: Error) =>
  error instanceof PermanentError &&
  /cannot be opened here: it was sealed under another secret, or without a copy/.test(error.message);
const stateOf = async ({ address }: TestOperator) => (await readRound(room.chain, task, address)).ballot;

test("a ballot sealed on one machine is revealed on another that has the key alone", async () => {
  const [one, two] = validators as [TestOperator, TestOperator];
  // The second one's tool keeps no copy.
  const key = { ...operatorKey(two.account.privateKey, "a test"), sealCopy: (): Hex => "0x" };
  const careless = room.operator(4, { key });
  for (const { ballots, sender } of [one, careless]) {
    ballots.set(report, { scores: [321], head });
    await sender.send({ kind: "commitBallot", task, round: 1, report });
  }
  await local.pass(200);
  const stranger = await elsewhere(one, `0x${"42".repeat(32)}`);
  await assert.rejects(stranger.send({ kind: "revealBallot", task, round: 1 }), isNotOpened, "another secret");
  const { result, state } = await (await elsewhere(one)).send({ kind: "revealBallot", task, round: 1 });
  assert.equal(state, "final");
  assert.deepEqual(result, { seats: 1 });
  assert.deepEqual(await stateOf(one), { state: "revealed", seats: 1, scores: 321n, head });
  assert.equal((await (await elsewhere(one)).send({ kind: "revealBallot", task, round: 1 })).state, "done");
});

test("a ballot sealed without a copy is revealed from the outbox that sealed it, and from nowhere else", async () => {
  const two = validators[1] as TestOperator;
  await assert.rejects((await elsewhere(two)).send({ kind: "revealBallot", task, round: 1 }), isNotOpened);
  assert.equal((await stateOf(two)).state, "sealed");
  await two.sender.send({ kind: "revealBallot", task, round: 1 });
  assert.equal((await stateOf(two)).state, "revealed");
});

test("a round with a voter who sealed nothing is settled with it, if somebody says so, and pays whom says it", async () => {
  const [one, , absent] = validators as [TestOperator, TestOperator, TestOperator];
  const accuse = { kind: "accuseAbsence", task, round: 1, absent: absent.address } as const;
  assert.equal((await one.sender.send(accuse)).state, "final");
  assert.deepEqual(await stateOf(absent), { state: "absent", seats: 1, accuser: one.address.toLowerCase() });
  assert.equal((await (validators[1] as TestOperator).sender.send(accuse)).state, "done", "once is enough");
  await assert.rejects(
    one.sender.send({ ...accuse, absent: room.operator(9).address }),
    /The contracts refuse to accuse absence: 0x\w{40} has no seat in this round/,
  );
  await local.pass(100);
  const stakeOf = async () => (await readRound(room.chain, task, absent.address)).account.active;
  const before = await stakeOf();
  await one.sender.send({ kind: "settle", task, round: 1 });
  assert.ok((await stakeOf()) < before, "the absent one was slashed");
  const credits = await local.client.getContractEvents({
    address: local.deployment.addresses.Staking,
    abi: abis.Staking,
    eventName: "Credited",
    fromBlock: 0n,
    strict: true,
  });
  assert.equal(credits.length, 2, "the accuser's bounty and the settler's");
  assert.ok(credits.every(({ args }) => args.to === one.address));
});
