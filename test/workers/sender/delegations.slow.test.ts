import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Address } from "viem";
import { ExitCode, type PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { Role } from "../../../protocol/words.ts";
import { readPool, readPosition } from "../../../workers/chain/accounts.ts";
import { readRound } from "../../../workers/chain/round.ts";
import { operatorKey } from "../../../workers/sender/key.ts";
import type { Sender } from "../../../workers/sender/sender.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import {
  type OperatorsRoom,
  openOperatorsRoom,
  playRound,
  shortTerms,
  type TestOperator,
} from "../../support/operators.ts";
import { FLK } from "../../support/terms.ts";

let local: LocalChain;
let room: OperatorsRoom;
let task: bigint;
let trainers: TestOperator[];
let validators: TestOperator[];
let operator: Address;
let delegator: Sender;
let owner: Address;
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  ({ task, trainers, validators } = await room.staffedTask());
  operator = (trainers[0] as TestOperator).address;
  // As much as will be delegated to the other one: each has exactly one seat, whatever the seeds.
  const even = { kind: "stake", id: "even", task, role: Role.Trainer, amount: 150n * FLK } as const;
  await (trainers[1] as TestOperator).sender.send(even);
  const account = local.accounts[9] as LocalChain["accounts"][number];
  owner = account.address;
  delegator = room.operator(9, { key: operatorKey(account.privateKey, "a test", { operator }) }).sender;
  await local.client.writeContract({
    address: local.deployment.addresses.FlockToken,
    abi: abis.FlockToken,
    functionName: "transfer",
    args: [owner, 1000n * FLK],
  });
});
after(async () => {
  await room.close();
  await local.stop();
});

const position = () => readPosition(room.chain, task, operator, owner);
const pool = () => readPool(room.chain, task, operator);
const deposit = { kind: "delegate", id: "first", amount: 150n * FLK } as const;

test("error: nobody delegates to an operator that accepts none, or to itself", async () => {
  await assert.rejects(delegator.send({ ...deposit, task, operator }), /0x\w+ accepts no delegation/);
  const { sender } = trainers[0] as TestOperator;
  await assert.rejects(sender.send({ ...deposit, task, operator }), (error: PermanentError) => {
    assert.match(error.message, /cannot delegate to itself: use the verb stake/);
    return error.exitCode === ExitCode.usage;
  });
});

test("an operator opens itself to delegation, once", async () => {
  const { sender } = trainers[0] as TestOperator;
  await sender.send({ kind: "acceptDelegation", task, commissionBps: 500 });
  assert.equal((await sender.send({ kind: "acceptDelegation", task, commissionBps: 500 })).state, "done");
  await sender.send({ kind: "acceptDelegation", task, commissionBps: 1250 });
  assert.deepEqual(await pool(), { accepts: true, commissionBps: 1250, active: 0n, joining: 0n });
});

test("a delegation is made once for one id, counts, and freezes the commission", async () => {
  const sent = await delegator.send({ ...deposit, task, operator });
  assert.deepEqual(sent.result, { countsFrom: 1 });
  assert.deepEqual(await delegator.send({ ...deposit, task, operator }), sent);
  assert.equal((await position()).active, 150n * FLK);
  assert.equal((await readRound(room.chain, task, operator)).weight, 2n * shortTerms.seatStake + 150n * FLK);
  const { sender } = trainers[0] as TestOperator;
  await assert.rejects(
    sender.send({ kind: "acceptDelegation", task, commissionBps: 9999 }),
    /others have delegated to 0x\w+, and its commission is frozen/,
  );
});

test("a delegator earns with its operator, claims, and leaves with everything", async () => {
  await playRound(local, { task, trainers, validators });
  const { claimable, active } = await position();
  assert.ok(claimable > 0n);
  const holding = { task, operator, owner };
  // Anyone may take it out, to its owner.
  const { sender } = trainers[1] as TestOperator;
  assert.deepEqual((await sender.send({ kind: "claim", ...holding })).result, { amount: String(claimable) });
  assert.equal((await delegator.send({ kind: "claim", ...holding })).state, "done");

  await delegator.send({ kind: "requestExit", id: "leave", task, operator, amount: active });
  assert.equal((await position()).left, active);
  await assert.rejects(delegator.send({ kind: "withdraw", ...holding }), /the stake is locked until/);
  await local.pass(1_000);
  assert.deepEqual((await delegator.send({ kind: "withdraw", ...holding })).result, { amount: String(active) });
  assert.equal((await delegator.send({ kind: "withdraw", ...holding })).state, "done");
});

test("a settler's bounty is claimed with its own address as the operator", async () => {
  const { address, sender } = trainers[0] as TestOperator;
  const before = (await readRound(room.chain, task, address)).account.claimable;
  const { result } = await sender.send({ kind: "claim", task, operator: address, owner: address });
  assert.deepEqual(result, { amount: String(before) });
});

test("a creator closes its task by notice, and claims the refund; anyone sweeps the burn", async () => {
  const creator = room.operator(0);
  await assert.rejects(creator.sender.send({ kind: "close", task }), /has rounds to come, and neither its notice/);
  await assert.rejects(delegator.send({ kind: "announceClose", task }), /is not the task's creator/);
  const { result } = await creator.sender.send({ kind: "announceClose", task });
  assert.equal((await creator.sender.send({ kind: "announceClose", task })).state, "done");
  const { block, closable } = await readRound(room.chain, task, operator);
  assert.equal(result.closableAt, block.timestamp + shortTerms.unbonding);
  assert.equal(closable, false);
  await local.pass(1_000);
  assert.equal((await readRound(room.chain, task, operator)).closable, true);
  await assert.rejects(
    delegator.send({ kind: "openRound", task, round: 2 }),
    /The contracts refuse to open round: task 1 opens no round since 20/,
  );
  const closed = await delegator.send({ kind: "close", task });
  assert.ok(BigInt(closed.result.refund as string) > 0n);
  assert.equal((await creator.sender.send({ kind: "close", task })).state, "done");
  const own = { task, operator: creator.address, owner: creator.address };
  assert.deepEqual((await creator.sender.send({ kind: "claim", ...own })).result, { amount: closed.result.refund });

  const swept = await delegator.send({ kind: "sweepBurn" });
  assert.ok(BigInt(swept.result.amount as string) > 0n);
  assert.equal((await delegator.send({ kind: "sweepBurn" })).state, "done");
});
