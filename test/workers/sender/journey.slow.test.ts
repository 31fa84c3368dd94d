import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Address, type Hex, zeroAddress } from "viem";
import { abis } from "../../../protocol/generated/abis.ts";
import { MISSING, Phase, Role } from "../../../protocol/words.ts";
import { openEndpoints } from "../../../workers/chain/endpoints.ts";
import { readRound } from "../../../workers/chain/round.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, shortTerms, type TestOperator } from "../../support/operators.ts";

let local: LocalChain;
let room: OperatorsRoom;
let task: bigint;
let trainers: TestOperator[];
let validators: TestOperator[];
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  ({ task, trainers, validators } = await room.staffedTask());
});
after(async () => {
  await room.close();
  await local.stop();
});

const artifacts: Hex[] = [`0x${"a1".repeat(32)}`, `0x${"a2".repeat(32)}`];
const report = (index: number): Hex => `0x${`b${index}`.repeat(32)}`;
const head: Hex = `0x${"cc".repeat(20)}`;
const look = (operator: Address = zeroAddress) => readRound(room.chain, task, operator);
const nonceOf = ({ address }: TestOperator) => local.client.getTransactionCount({ address });

/** The rules in this repository and the contracts say the same. */
async function agree(operator: TestOperator) {
  const view = await look(operator.address);
  assert.equal(view.phase, view.contractPhase, "phase");
  if (view.seats === undefined || view.role === undefined || !view.open) return view;
  const seats = await local.client.readContract({
    address: local.deployment.addresses.Rounds,
    abi: abis.Rounds,
    functionName: "seats",
    args: [task, view.role, operator.address],
  });
  assert.equal(view.seats, seats, "seats");
  return view;
}

test("an operator brings a round from its opening to its settlement, each act once", async () => {
  const [first, second] = trainers as [TestOperator, TestOperator];
  let view = await agree(first);
  assert.equal(view.phase, Phase.None);
  assert.equal(view.openable, true);
  assert.equal(view.role, Role.Trainer);
  assert.equal(view.weight, 2n * shortTerms.seatStake);
  assert.deepEqual(view.terms, shortTerms);
  assert.equal(view.purse.pot, 90n * shortTerms.seatStake);

  assert.equal((await first.sender.send({ kind: "openRound", task, round: 1 })).state, "final");
  assert.equal((await second.sender.send({ kind: "openRound", task, round: 1 })).state, "done");
  view = await agree(first);
  assert.equal(view.round, 1);
  assert.equal(view.phase, Phase.Propose);
  assert.equal(view.seed, undefined, "the seed's block is not there yet");
  await assert.rejects(first.sender.send({ kind: "latchSeed", task, round: 1 }), /seed's block \d+ is not mined yet/);

  await local.client.mine({ blocks: 2 });
  view = await agree(first);
  assert.equal(view.seats, 1);
  assert.equal(view.seedsLatched, 0);
  await first.sender.send({ kind: "commitProposal", task, round: 1, artifact: artifacts[0]! });
  const before = await nonceOf(first);
  const again = await first.sender.send({ kind: "commitProposal", task, round: 1, artifact: artifacts[0]! });
  assert.equal(again.state, "done");
  assert.equal(await nonceOf(first), before, "the second time sends nothing");
  await assert.rejects(
    first.sender.send({ kind: "commitProposal", task, round: 1, artifact: artifacts[1]! }),
    /Another update is sealed already in round 1/,
  );
  await second.sender.send({ kind: "commitProposal", task, round: 1, artifact: artifacts[1]! });
  await second.sender.send({ kind: "latchSeed", task, round: 1 });
  assert.equal((await agree(second)).proposal.state, "sealed");
  await assert.rejects(
    first.sender.send({ kind: "publishProposal", task, round: 1, artifact: artifacts[0]! }),
    /the phase of task 1 is Propose, not Publish/,
  );

  await local.pass(100);
  assert.equal((await agree(first)).phase, Phase.Publish);
  for (const [index, { sender }] of trainers.entries()) {
    await sender.send({ kind: "publishProposal", task, round: 1, artifact: artifacts[index]! });
  }
  assert.equal(
    (await first.sender.send({ kind: "publishProposal", task, round: 1, artifact: artifacts[0]! })).state,
    "done",
  );
  const early = await agree(validators[0] as TestOperator);
  assert.equal(early.phase, Phase.Ballot, "all is published, so publishing is over");
  await local.client.mine({ blocks: 1 });
  view = await agree(first);
  assert.deepEqual(
    view.proposals,
    trainers.map(({ address }, slot) => ({ slot, operator: address, artifact: artifacts[slot] })),
  );

  for (const [index, validator] of validators.entries()) {
    assert.equal((await agree(validator)).seats, 1);
    validator.ballots.set(report(index), { scores: [100 + index, -200 - index], head });
    const sealed = await validator.sender.send({ kind: "commitBallot", task, round: 1, report: report(index) });
    assert.deepEqual(sealed.result, { seats: 1 });
    // What was sealed is what will be revealed, whatever the measurement says by then.
    validator.ballots.set(report(index), { scores: [MISSING, MISSING], head });
  }
  assert.equal((await agree(validators[0]!)).ballot.state, "sealed");
  assert.equal((await look()).sealedSeats, 3);

  await local.pass(200);
  for (const { sender } of validators) {
    await sender.send({ kind: "revealBallot", task, round: 1 });
  }
  view = await agree(validators[0]!);
  assert.equal(view.ballot.state, "revealed");
  assert.equal(view.phase, Phase.Reveal, "revealing lasts half its length at least");
  await assert.rejects(first.sender.send({ kind: "settle", task, round: 1 }), /is Reveal, not Settle/);

  await local.pass(50);
  assert.equal((await agree(first)).phase, Phase.Settle);
  // Both want to settle at once; one transaction does.
  const settled = await Promise.all(
    [first, second].map(({ sender }) => sender.send({ kind: "settle", task, round: 1 })),
  );
  assert.ok(settled.some(({ state }) => state === "final"));
  view = await agree(first);
  assert.equal(view.phase, Phase.None);
  assert.equal(view.paidRounds, 1);
  assert.equal(view.heads, 1);
  assert.equal(view.proposal.state, "none", "the next round starts afresh");
  assert.ok(view.account.claimable > 0n, "the accepted update was paid");
  assert.ok((await look(second.address)).account.active < 2n * shortTerms.seatStake, "the rejected one was slashed");
  assert.equal((await first.sender.send({ kind: "settle", task, round: 1 })).state, "done");
  await assert.rejects(
    first.sender.send({ kind: "commitProposal", task, round: 1, artifact: artifacts[0]! }),
    /Nothing can be done in round 1 of task 1: round 1 was the last and none is open/,
  );
});

test("an operator claims what it earned and leaves with its stake", async () => {
  const [first] = trainers as [TestOperator];
  const { claimable, active } = (await look(first.address)).account;
  const own = { task, operator: first.address, owner: first.address };
  const claimed = await first.sender.send({ kind: "claim", ...own });
  assert.deepEqual(claimed.result, { amount: String(claimable) });
  assert.equal((await first.sender.send({ kind: "claim", ...own })).state, "done");

  const exit = { kind: "requestExit", id: "leave-1", task, operator: first.address, amount: active } as const;
  await first.sender.send(exit);
  const nonce = await nonceOf(first);
  await first.sender.send(exit);
  assert.equal(await nonceOf(first), nonce, "the same id is one exit");
  await assert.rejects(first.sender.send({ ...exit, id: "leave-2" }), /were asked for, but only 0 tokens are staked/);
  await assert.rejects(first.sender.send({ kind: "withdraw", ...own }), /the stake is locked until 20\d\d-/);
  await local.pass(1_000);
  const withdrawn = await first.sender.send({ kind: "withdraw", ...own });
  assert.deepEqual(withdrawn.result, { amount: String(active) });
  assert.equal((await first.sender.send({ kind: "withdraw", ...own })).state, "done");
  assert.equal((await look(first.address)).role, undefined);
});

test("an operator says once where its store is, and others find it", async () => {
  const [one, other] = validators as [TestOperator, TestOperator];
  const endpoints = openEndpoints(room.chain, task);
  await one.sender.send({ kind: "announce", endpoint: "http://127.0.0.1:1" });
  const nonce = await nonceOf(one);
  assert.equal((await one.sender.send({ kind: "announce", endpoint: "http://127.0.0.1:1" })).state, "done");
  assert.equal(await nonceOf(one), nonce);
  await other.sender.send({ kind: "announce", endpoint: "http://127.0.0.1:2" });
  const at = async () => endpoints.at(await local.client.getBlockNumber());
  assert.deepEqual(
    [...(await at())].sort(),
    [
      [one.address, "http://127.0.0.1:1"],
      [other.address, "http://127.0.0.1:2"],
    ].sort(),
  );
  await one.sender.send({ kind: "announce", endpoint: "http://127.0.0.1:3" });
  assert.equal((await at()).get(one.address), "http://127.0.0.1:3");
  await local.client.mine({ blocks: 300 });
  assert.equal((await at()).get(one.address), "http://127.0.0.1:3", "what is old is remembered");
  await one.sender.send({ kind: "announce", endpoint: "http://127.0.0.1:1" });
  assert.equal((await at()).get(one.address), "http://127.0.0.1:1", "the last word counts, even if it is an old one");
});

test("a stake is made once for one id, and refusals are told in one sentence", async () => {
  const [one] = validators as [TestOperator];
  const intent = { kind: "stake", id: "more", task, role: Role.Validator, amount: shortTerms.seatStake } as const;
  const before = (await look(one.address)).account.active;
  const sent = await one.sender.send(intent);
  assert.deepEqual(await one.sender.send(intent), sent, "the same answer again");
  assert.equal((await look(one.address)).account.active, before + shortTerms.seatStake);
  await assert.rejects(
    one.sender.send({ ...intent, id: "other", role: Role.Trainer }),
    /The contracts refuse to stake: the operator is a Validator of this task and cannot be a Trainer before it has left/,
  );
  await assert.rejects(
    one.sender.send({ ...intent, id: "huge", amount: 10n ** 27n }),
    /has 100 tokens, but 1000000000 tokens are needed/,
  );
  await assert.rejects(one.sender.send({ ...intent, id: "nowhere", task: 99n }), /there is no task 99/);
});

test("what somebody else does between the look and the estimate is done, and no refusal", async () => {
  const { task, trainers } = await room.staffedTask();
  const faster = trainers[0] as TestOperator;
  const { client } = room.chain;
  const estimateGas: typeof client.estimateGas = async (call) => {
    await faster.sender.send({ kind: "openRound", task, round: 1 });
    return client.estimateGas(call);
  };
  const slower = room.operator(9, { chain: { ...room.chain, client: { ...client, estimateGas } } });
  assert.equal((await slower.sender.send({ kind: "openRound", task, round: 1 })).state, "done");
  assert.equal(await nonceOf(slower), 0, "it sent nothing");
});
