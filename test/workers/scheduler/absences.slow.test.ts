import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Hex, parseGwei } from "viem";
import { Role } from "../../../protocol/words.ts";
import { readRound } from "../../../workers/chain/round.ts";
import { openAbsences } from "../../../workers/scheduler/absences.ts";
import { bountyOf, openWorth } from "../../../workers/scheduler/bounty.ts";
import { openLook } from "../../../workers/scheduler/look.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, shortTerms, type TestOperator } from "../../support/operators.ts";
import { FLK, someTerms } from "../../support/terms.ts";

const artifact: Hex = `0x${"a1".repeat(32)}`;
const report: Hex = `0x${"b1".repeat(32)}`;

let local: LocalChain;
let room: OperatorsRoom;
let task: bigint;
let validators: TestOperator[];
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  const staffed = await room.staffedTask();
  ({ task, validators } = staffed);
  const [trainer] = staffed.trainers as [TestOperator];
  await trainer.sender.send({ kind: "openRound", task, round: 1 });
  // Who stakes while the round is open has no seat in it.
  const late = validators[0] as TestOperator;
  await late.sender.send({ kind: "stake", id: "late", task, role: Role.Validator, amount: shortTerms.seatStake });
  await local.client.mine({ blocks: 2 });
  await trainer.sender.send({ kind: "commitProposal", task, round: 1, artifact });
  await local.pass(100);
  await trainer.sender.send({ kind: "publishProposal", task, round: 1, artifact });
  await local.client.mine({ blocks: 1 });
});
after(async () => {
  await room.close();
  await local.stop();
});

test("finds who has seats and sealed nothing, as long as it can be accused", async () => {
  const [one, two, absent] = validators as [TestOperator, TestOperator, TestOperator];
  const find = openAbsences(room.chain, task);
  const found = async (search = find) => search(await readRound(room.chain, task, one.address));
  one.ballots.set(report, { scores: [5], head: `0x${"cc".repeat(20)}` });
  await one.sender.send({ kind: "commitBallot", task, round: 1, report });
  assert.deepEqual(await found(), [], "ballots can still be sealed");
  const id = await local.client.snapshot();
  await local.pass(200);
  assert.deepEqual(await found(), [], "one seat of three is no quorum");
  await local.client.revert({ id });

  two.ballots.set(report, { scores: [5], head: `0x${"cc".repeat(20)}` });
  await two.sender.send({ kind: "commitBallot", task, round: 1, report });
  await local.pass(200);
  assert.deepEqual(await found(openAbsences(room.chain, task)), [{ operator: absent.address, seats: 1 }]);
  const look = openLook(room.chain, { task, operator: one.address, accuse: true });
  assert.deepEqual((await look()).situation.absent, [absent.address]);
  const itself = openLook(room.chain, { task, operator: absent.address, accuse: true });
  assert.deepEqual((await itself()).situation.absent, [], "nobody accuses itself");
  const indifferent = openLook(room.chain, { task, operator: one.address });
  assert.deepEqual((await indifferent()).situation.absent, []);

  await one.sender.send({ kind: "accuseAbsence", task, round: 1, absent: absent.address });
  assert.deepEqual(await found(), [], "once is enough");
});

test("an accusation pays if its bounty is worth more than its gas", async () => {
  const terms = someTerms({ seatStake: 100n * FLK, absentBps: 200 });
  assert.equal(bountyOf(terms), (2n * FLK) / 10n);
  assert.equal(bountyOf({ seatStake: 1001n, absentBps: 101 }), 1n, "a tenth of the ceiling of 10.11");
  await local.client.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei("10") });
  await local.client.mine({ blocks: 1 });
  // 80,000 gas at 20 gwei and more are 0.0016 ETH and more; the bounty is 0.2 FLK.
  assert.equal(await openWorth(room.chain, 0.001)(terms), false);
  assert.equal(await openWorth(room.chain, 1)(terms), true);
  assert.equal(await openWorth(room.chain, true)(terms), true);
  assert.equal(await openWorth(room.chain, false)(terms), false);
});
