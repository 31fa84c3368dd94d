import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Hex } from "viem";
import { ExitCode, PermanentError } from "../../../protocol/errors.ts";
import { Role } from "../../../protocol/words.ts";
import { openEndpoints } from "../../../workers/chain/endpoints.ts";
import { readRound } from "../../../workers/chain/round.ts";
import { operatorKey } from "../../../workers/sender/key.ts";
import { readSecret, writeSecret } from "../../../workers/sender/secret.ts";
import type { Sender } from "../../../workers/sender/sender.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, type TestOperator } from "../../support/operators.ts";

const artifact: Hex = `0x${"a1".repeat(32)}`;

let local: LocalChain;
let room: OperatorsRoom;
let dir: string;
let task: bigint;
let owner: TestOperator;
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  dir = await mkdtemp(join(tmpdir(), "flock-signers-"));
  const staffed = await room.staffedTask();
  task = staffed.task;
  owner = staffed.trainers[0] as TestOperator;
});
after(async () => {
  await room.close();
  await local.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A machine with a hot key (account `index`) and the operator's secret. */
function hot(index: number): Sender {
  const secret = operatorKey(owner.account.privateKey, "a test").secret();
  const { privateKey } = local.accounts[index] as { privateKey: Hex };
  const key = operatorKey(privateKey, "a test", { operator: owner.address, secret });
  return room.operator(index, { key, dir: join(dir, String(index)) }).sender;
}
const hotAddress = (index: number) => (local.accounts[index] as { address: Hex }).address;
const view = () => readRound(room.chain, task, owner.address);

test("a signer acts from the round after it was named, and not before", async () => {
  const named = await owner.sender.send({ kind: "setSigner", task, signer: hotAddress(7) });
  assert.deepEqual(named.result, { signer: hotAddress(7), countsFrom: 1 });
  assert.equal((await owner.sender.send({ kind: "setSigner", task, signer: hotAddress(7) })).state, "done");
  const signer = hot(7);
  assert.equal(signer.operator, owner.address);
  await signer.send({ kind: "openRound", task, round: 1 });
  await local.client.mine({ blocks: 2 });
  assert.deepEqual((await signer.send({ kind: "commitProposal", task, round: 1, artifact })).result, { seats: 1 });
  assert.equal((await view()).proposal.state, "sealed");
});

test("what one key sealed, the next one opens: the secret is the operator's", async () => {
  await owner.sender.send({ kind: "setSigner", task, signer: hotAddress(8) });
  await local.pass(100);
  const { result } = await hot(8).send({ kind: "publishProposal", task, round: 1, artifact });
  assert.deepEqual(result, { slot: 0 });
});

test("error: a key that does not act for the operator is told so in one sentence", async () => {
  await local.pass(200);
  await local.pass(300);
  await hot(7).send({ kind: "openRound", task, round: 2 });
  await local.client.mine({ blocks: 2 });
  await assert.rejects(hot(7).send({ kind: "commitProposal", task, round: 2, artifact }), (error: Error) => {
    assert.ok(error instanceof PermanentError);
    assert.equal(
      error.message,
      `The contracts refuse to commit proposal: ${hotAddress(7)} is not the signer of ${owner.address}.`,
    );
    return true;
  });
  await owner.sender.send({ kind: "revokeSigner", task });
  assert.equal((await owner.sender.send({ kind: "revokeSigner", task })).state, "done");
  await assert.rejects(hot(8).send({ kind: "commitProposal", task, round: 2, artifact }), /is not the signer of/);
  await owner.sender.send({ kind: "commitProposal", task, round: 2, artifact });
});

test("error: a signer's key cannot stake, exit, accept delegation or name signers", async () => {
  const signer = hot(8);
  const amount = 1n;
  for (const intent of [
    { kind: "stake", id: "a", task, role: Role.Trainer, amount },
    { kind: "acceptDelegation", task, commissionBps: 0 },
    { kind: "setSigner", task, signer: hotAddress(8) },
    { kind: "revokeSigner", task },
  ] as const) {
    await assert.rejects(signer.send(intent), (error: PermanentError) => {
      assert.match(error.message, /takes the operator's own key: this one is 0x\w+'s, and the operator is 0x\w+\.$/);
      return error.exitCode === ExitCode.usage;
    });
  }
  const exit = { kind: "requestExit", id: "b", task, operator: owner.address, amount } as const;
  await assert.rejects(signer.send(exit), /were asked for, but only 0 tokens are staked/);
});

test("a store is found where the operator or its signer said last, and not where a revoked one says", async () => {
  const endpoints = openEndpoints(room.chain, task);
  const at = async () => (await endpoints.at(await local.client.getBlockNumber())).get(owner.address);
  await owner.sender.send({ kind: "announce", endpoint: "http://127.0.0.1:1" });
  await owner.sender.send({ kind: "setSigner", task, signer: hotAddress(8) });
  assert.equal(await at(), "http://127.0.0.1:1");
  await hot(8).send({ kind: "announce", endpoint: "http://127.0.0.1:2" });
  assert.equal(await at(), "http://127.0.0.1:2");
  assert.equal((await hot(8).send({ kind: "announce", endpoint: "http://127.0.0.1:2" })).state, "done");
  await local.client.mine({ blocks: 300 });
  assert.equal(await at(), "http://127.0.0.1:2", "what is old is remembered");
  await owner.sender.send({ kind: "announce", endpoint: "http://127.0.0.1:3" });
  assert.equal(await at(), "http://127.0.0.1:3");
  await hot(8).send({ kind: "announce", endpoint: "http://127.0.0.1:4" });
  await owner.sender.send({ kind: "revokeSigner", task });
  assert.equal(await at(), "http://127.0.0.1:3");
});

test("a secret is kept in a file that only its owner reads, and never written over or shown", async () => {
  const file = join(dir, "keys", "secret");
  const secret = operatorKey(owner.account.privateKey, "a test").secret();
  await writeSecret(file, secret);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readSecret(file), secret);
  await assert.rejects(writeSecret(file, secret), /never written over/);
  await writeFile(file, "0xsecret");
  await assert.rejects(readSecret(file), (error: PermanentError) => {
    assert.match(error.message, /does not hold a secret/);
    return error.exitCode === ExitCode.usage && !error.message.includes("0xsecret");
  });
  await assert.rejects(readSecret(join(dir, "none")), /cannot be read/);
});
